-- Lists of experiments read only the rows that belong to one: these columns are taken from the metadata where rows are stored, so that whoever writes rows knows nothing of them.
ALTER TABLE {database:Identifier}.observations
    ADD COLUMN IF NOT EXISTS experiment_id String MATERIALIZED metadata['langfuse.experiment.id'] CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS experiment_name String MATERIALIZED metadata['langfuse.experiment.name'] CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS experiment_dataset_id String
        MATERIALIZED metadata['langfuse.experiment.dataset.id'] CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS experiment_item_id String
        MATERIALIZED metadata['langfuse.experiment.item.id'] CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS is_experiment_item Bool
        MATERIALIZED metadata['langfuse.experiment.item.root_observation_id'] = id;

ALTER TABLE {database:Identifier}.observations
    ADD INDEX IF NOT EXISTS experiment_id_bloom experiment_id TYPE bloom_filter(0.01) GRANULARITY 1,
    ADD INDEX IF NOT EXISTS experiment_id_minmax experiment_id TYPE minmax GRANULARITY 1;
