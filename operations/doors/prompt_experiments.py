"""What runs the server's own experiments, beside the query API."""

import secrets

from actors import directory
from actors.intake import Intake, project_rules
from actors.judging import RayLimiter
from actors.leased_slots import LeasedSlots
from heliograph.settings import Settings
from pipelines.prompt_experiments import Means, PromptExperimentWorker
from serve_apps.api.dependencies import Administration
from storage.postgres.connection import Database


def worker(settings: Settings, database: Database, administration: Administration) -> PromptExperimentWorker:
    """Takes up whatever experiment nobody runs."""
    intake = Intake(project_rules(settings, database), lambda: directory.lane_client(settings))
    means = Means(database, intake, administration.seal, administration.outbound, _slots)
    return PromptExperimentWorker(means)


def _slots(provider: str, key: str, experiment_id: str) -> LeasedSlots:
    return LeasedSlots(RayLimiter(provider, key), secrets.token_hex(8), experiment_id)
