import uuid

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, exc, text

from heliograph.domain.errors import Unavailable
from heliograph.settings import Settings
from migrations.plan import plan, status, upgrade
from migrations.relational import Relational
from storage.postgres.tables.catalogue import METADATA


@pytest.fixture
def fresh(engines: Settings) -> Settings:
    name = f"tests_{uuid.uuid4().hex}"
    return engines.model_copy(
        update={
            "postgres": engines.postgres.model_copy(update={"database": name}),
            "clickhouse": engines.clickhouse.model_copy(update={"database": name}),
        }
    )


def test_the_migrated_schema_is_that_of_the_table_classes(fresh: Settings) -> None:
    Relational(fresh.postgres_dsn).upgrade(lanes=2)

    with create_engine(fresh.postgres_dsn).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_downgrade_leaves_an_empty_schema_that_can_be_upgraded_again(fresh: Settings) -> None:
    relational = Relational(fresh.postgres_dsn)
    relational.upgrade(lanes=2)

    relational.downgrade("base")

    with create_engine(fresh.postgres_dsn).connect() as connection:
        left = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    assert left == ["alembic_version"]
    assert relational.pending() == relational.known()
    assert relational.upgrade(lanes=2) == relational.known()


def test_the_lane_map_has_the_count_of_the_first_upgrade(fresh: Settings) -> None:
    for lanes in (3, 5):
        Relational(fresh.postgres_dsn).upgrade(lanes)

    with create_engine(fresh.postgres_dsn).connect() as connection:
        assert connection.execute(text("SELECT version, count, dedicated FROM lane_map")).all() == [(1, 3, {})]


def test_a_migration_gives_up_on_a_lock_instead_of_queueing_everyone(fresh: Settings) -> None:
    relational = Relational(fresh.postgres_dsn)
    relational.upgrade(lanes=2)
    with psycopg.connect(fresh.postgres_dsn.replace("+psycopg", "")) as reader:
        reader.execute("SELECT * FROM lanes")

        with pytest.raises(exc.OperationalError, match="lock timeout"):
            relational.downgrade("base")
    assert relational.pending() == []


def test_plan_upgrade_and_status_tell_one_story_of_both_stores(fresh: Settings) -> None:
    planned = plan(fresh)
    assert {step.description for step in status(fresh) if not step.is_applied} == set(planned)

    assert upgrade(fresh) == planned

    assert plan(fresh) == []
    assert upgrade(fresh) == []
    assert all(step.is_applied for step in status(fresh))


def test_a_server_that_is_away_is_unavailable(fresh: Settings) -> None:
    with pytest.raises(Unavailable, match="PostgreSQL"):
        Relational("postgresql+psycopg://nobody:nothing@127.0.0.1:9/none").pending()
