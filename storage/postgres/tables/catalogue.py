"""All tables of PostgreSQL in one place, for what must know them all: migrations and the names of constraints."""

from storage.postgres.tables import (
    api_keys,
    compactions,
    deletions,
    lanes,
    limits,
    masking_rules,
    media,
    memberships,
    models,
    organizations,
    projects,
    prompts,
    replays,
    users,
)
from storage.postgres.tables.declarative import Table

MODULES = (
    api_keys,
    compactions,
    deletions,
    lanes,
    limits,
    masking_rules,
    media,
    memberships,
    models,
    organizations,
    projects,
    prompts,
    replays,
    users,
)
METADATA = Table.metadata
