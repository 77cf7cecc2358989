"""All that evaluates on the cluster without being waited for: runs over what is stored, rules about what arrives."""

import asyncio

from heliograph.settings import Settings
from pipelines import evaluation
from pipelines.online_evaluation import follow_rules


async def drive(settings: Settings) -> None:
    """Both, for ever."""
    await asyncio.gather(evaluation.drive(settings), follow_rules(settings))
