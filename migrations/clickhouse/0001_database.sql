-- Everything lives in one Atomic database, since refreshable views and table exchanges need one; it records what was applied.
CREATE DATABASE IF NOT EXISTS {database:Identifier} ENGINE = Atomic;

CREATE TABLE IF NOT EXISTS {database:Identifier}.schema_migrations
(
    name String,
    checksum String,
    applied_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY name;
