"""Model definitions of projects, as PostgreSQL keeps them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from heliograph.domain.access import Project
from heliograph.domain.errors import InvalidRequest
from heliograph.domain.identifiers import ProjectId
from heliograph.domain.models import (
    CallCondition,
    Circumstance,
    Model,
    Operator,
    PricingTier,
    TokenizerConfig,
    UsageCondition,
)
from heliograph.domain.not_found import ModelNotFound
from ingestion.project_prices import ProjectPrices
from storage.postgres.connection import Database
from storage.postgres.models import AllModels, Models

MODEL = Model(
    id="",
    name="mine",
    match_pattern="(?i)^mine$",
    tiers=(
        PricingTier("Standard", {"input": 1, "output": 2_500_000}),
        PricingTier(
            "long", {"input": 3, "output": 4}, 1,
            (UsageCondition("input", Operator.GTE, 10, is_case_sensitive=True),
             CallCondition(Circumstance.METADATA, "plan", ("gold", "tin"))),
        ),
    ),
    start_date=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
    unit="CHARACTERS",
    tokenizer_id="openai",
    tokenizer=TokenizerConfig("o200k_base", 3, 1),
)  # fmt: skip


async def test_a_definition_comes_back_whole(database: Database, project: Project) -> None:
    models = Models(database, project.id)
    made = await models.create(MODEL)
    assert made.id
    assert made.project_id == project.id
    assert replace(made, id="", project_id="", created_at=None, updated_at=None) == MODEL
    assert await models.get(made.id) == made
    assert await models.all() == [made]


async def test_a_name_is_taken_once_for_each_unit_and_start(database: Database, project: Project) -> None:
    models = Models(database, project.id)
    undated = replace(MODEL, start_date=None)
    await models.create(undated)
    await models.create(MODEL)
    await models.create(replace(undated, unit="TOKENS"))
    with pytest.raises(InvalidRequest, match="name: is taken already"):
        await models.create(undated)


async def test_another_projects_definition_is_not_found(database: Database, project: Project) -> None:
    made = await Models(database, project.id).create(MODEL)
    others = Models(database, ProjectId("other"))
    with pytest.raises(ModelNotFound):
        await others.get(made.id)
    with pytest.raises(ModelNotFound):
        await others.delete(made.id)
    assert await others.all() == []


async def test_prices_follow_every_change(database: Database, project: Project) -> None:
    models, everyones = Models(database, project.id), AllModels(database)
    prices = ProjectPrices(everyones)
    await prices.refresh()
    assert prices.of(project.id).match("mine") is None

    first = await models.create(MODEL)
    version = await everyones.version()
    await prices.refresh()
    assert prices.of(project.id).match("mine") == first

    second = await models.create(replace(MODEL, start_date=None))
    await models.delete(first.id)
    assert await everyones.version() != version
    await prices.refresh()
    assert prices.of(project.id).match("mine") == second

    await models.delete(second.id)
    await prices.refresh()
    assert prices.of(project.id).match("mine") is None
