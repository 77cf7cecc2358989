"""All tables of PostgreSQL in one place, for what must know them all: migrations and the names of constraints."""

from storage.postgres.tables import (
    annotation_queues,
    api_keys,
    comments,
    compactions,
    datasets,
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
    score_configs,
    users,
)
from storage.postgres.tables.declarative import Table

MODULES = (
    annotation_queues,
    api_keys,
    comments,
    compactions,
    datasets,
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
    score_configs,
    users,
)
METADATA = Table.metadata
