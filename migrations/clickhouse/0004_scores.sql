-- One row per score on a trace, an observation, a session or an experiment; a score that is sent again replaces itself.
CREATE TABLE IF NOT EXISTS {database:Identifier}.scores
(
    project_id LowCardinality(String),
    id String CODEC(ZSTD(1)),
    timestamp DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    name LowCardinality(String),
    data_type LowCardinality(String),
    source LowCardinality(String),
    value Float64 CODEC(ZSTD(1)),
    string_value String CODEC(ZSTD(1)),
    long_string_value String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    observation_id String CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    dataset_run_id String CODEC(ZSTD(1)),
    environment LowCardinality(String),
    comment String CODEC(ZSTD(1)),
    metadata Map(String, String) CODEC(ZSTD(1)),
    author_user_id String CODEC(ZSTD(1)),
    config_id String CODEC(ZSTD(1)),
    queue_id String CODEC(ZSTD(1)),
    execution_trace_id String CODEC(ZSTD(1)),
    evaluator_version LowCardinality(String),
    ingestion_api_key LowCardinality(String),
    ingestion_sdk_name LowCardinality(String),
    ingestion_sdk_version LowCardinality(String),
    merge_state String CODEC(ZSTD(1)),
    placed_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    created_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    updated_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    row_version UInt64 CODEC(Delta, ZSTD(1)),
    INDEX id_bloom id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX trace_id_bloom trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX observation_id_bloom observation_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX session_id_bloom session_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX dataset_run_id_bloom dataset_run_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX timestamp_minmax timestamp TYPE minmax GRANULARITY 1,
    INDEX updated_at_minmax updated_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(placed_at)
ORDER BY (project_id, toDate(placed_at), id)
-- The checkpoint follows an insert and is synced, so the insert has to be as well.
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
