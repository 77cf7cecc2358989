"""Masking rules as the commands list, add, remove and try them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from heliograph.domain.identifiers import ProjectId
from heliograph.domain.masking import MaskedField, MaskingRule
from heliograph.domain.observations import observations_from
from heliograph.settings import Settings
from ingestion.masking.dry_run import Shown, check, dry_run
from ingestion.masking.observations import COLUMNS, ShownField, dry_run_of
from storage.clickhouse.connection import ClickHouse
from storage.clickhouse.observations import Observations
from storage.postgres.connection import opened
from storage.postgres.masking_rules import MaskingRules
from storage.postgres.projects import Projects


def of_project(settings: Settings, project: str) -> list[MaskingRule]:
    """The rules of the project of that name; raises ProjectNotFound."""

    async def listing() -> list[MaskingRule]:
        async with _rules(settings, project) as (rules, _):
            return await rules.all()

    return asyncio.run(listing())


def add(settings: Settings, project: str, rule: MaskingRule) -> MaskingRule:
    """A rule more; raises InvalidRequest, ProjectNotFound."""
    check(rule)

    async def adding() -> MaskingRule:
        async with _rules(settings, project) as (rules, _):
            return await rules.add(rule)

    return asyncio.run(adding())


def remove(settings: Settings, project: str, rule_id: str) -> None:
    """A rule less; raises MaskingRuleNotFound, ProjectNotFound."""

    async def removing() -> None:
        async with _rules(settings, project) as (rules, _):
            await rules.remove(rule_id)

    asyncio.run(removing())


def try_on_text(settings: Settings, project: str, tried: Sequence[MaskingRule], *, text: str) -> Shown:
    """What the tried rules, or without any the project's own, would hide in a text."""
    for rule in tried:
        check(rule)
    return dry_run(tried or of_project(settings, project), text, MaskedField.ALL if not tried else tried[0].field)


def try_on_stored(
    settings: Settings, project: str, tried: Sequence[MaskingRule], *, count: int
) -> tuple[int, list[ShownField]]:
    """What they would have hidden in the newest observations, and how many of them there were."""
    for rule in tried:
        check(rule)

    async def trying() -> tuple[int, list[ShownField]]:
        clickhouse = ClickHouse(settings.clickhouse, settings.clickhouse_url)
        try:
            async with _rules(settings, project) as (rules, project_id):
                newest = await Observations(clickhouse, project_id).newest([], COLUMNS, limit=count)
                found = list(observations_from(newest))
                return len(found), list(dry_run_of(tried or await rules.all(), found))
        finally:
            await clickhouse.close()

    return asyncio.run(trying())


@asynccontextmanager
async def _rules(settings: Settings, name: str) -> AsyncIterator[tuple[MaskingRules, ProjectId]]:
    async with opened(settings.postgres_dsn) as database:
        project = await Projects(database).named(name)
        yield MaskingRules(database, project.id), project.id
