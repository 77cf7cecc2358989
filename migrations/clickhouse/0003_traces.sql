-- One rolled-up row per trace, so that a list of traces with cost, latency, counts and scores needs no join.
CREATE TABLE IF NOT EXISTS {database:Identifier}.traces
(
    project_id LowCardinality(String),
    id String CODEC(ZSTD(1)),
    timestamp DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    name LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    environment LowCardinality(String),
    release LowCardinality(String),
    version LowCardinality(String),
    tags Array(LowCardinality(String)),
    public Bool,
    bookmarked Bool,
    metadata Map(String, String) CODEC(ZSTD(1)),
    input String CODEC(ZSTD(1)),
    output String CODEC(ZSTD(1)),
    input_preview String CODEC(ZSTD(1)),
    output_preview String CODEC(ZSTD(1)),
    root_observation_id String CODEC(ZSTD(1)),
    end_time Nullable(DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1)),
    latency_ms Nullable(Float64) CODEC(ZSTD(1)),
    level LowCardinality(String),
    observation_count UInt32 CODEC(T64, ZSTD(1)),
    error_count UInt32 CODEC(T64, ZSTD(1)),
    warning_count UInt32 CODEC(T64, ZSTD(1)),
    score_count UInt32 CODEC(T64, ZSTD(1)),
    input_tokens UInt64 CODEC(T64, ZSTD(1)),
    output_tokens UInt64 CODEC(T64, ZSTD(1)),
    total_tokens UInt64 CODEC(T64, ZSTD(1)),
    total_cost Decimal(18, 12) CODEC(ZSTD(1)),
    models Array(LowCardinality(String)),
    score_values Map(LowCardinality(String), Float64),
    score_labels Map(LowCardinality(String), String),
    merge_state String CODEC(ZSTD(1)),
    placed_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    created_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    updated_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    row_version UInt64 CODEC(Delta, ZSTD(1)),
    INDEX id_bloom id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX session_id_bloom session_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX user_id_bloom user_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX timestamp_minmax timestamp TYPE minmax GRANULARITY 1,
    INDEX updated_at_minmax updated_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(placed_at)
ORDER BY (project_id, toDate(placed_at), id)
-- The checkpoint follows an insert and is synced, so the insert has to be as well.
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
