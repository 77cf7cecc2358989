-- A trace is read by its id: an eighth of the rows in a granule halves that work, and costs an insert nothing that can be measured. No table changes its granules, so each is copied and takes the place of the old one.
DROP TABLE IF EXISTS {database:Identifier}.observations_fine SYNC SETTINGS max_table_size_to_drop = 0;

CREATE TABLE {database:Identifier}.observations_fine AS observations
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(placed_at)
ORDER BY (project_id, toDate(placed_at), trace_id, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, enable_block_number_column = 1, enable_block_offset_column = 1,
    min_bytes_for_wide_part = 67108864, vertical_merge_algorithm_min_rows_to_activate = 1, index_granularity = 1024;

INSERT INTO {database:Identifier}.observations_fine SELECT * FROM {database:Identifier}.observations
SETTINGS max_partitions_per_insert_block = 0;

EXCHANGE TABLES {database:Identifier}.observations AND {database:Identifier}.observations_fine;

DROP TABLE {database:Identifier}.observations_fine SYNC SETTINGS max_table_size_to_drop = 0;

DROP TABLE IF EXISTS {database:Identifier}.traces_fine SYNC SETTINGS max_table_size_to_drop = 0;

CREATE TABLE {database:Identifier}.traces_fine AS traces
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(placed_at)
ORDER BY (project_id, toDate(placed_at), id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, enable_block_number_column = 1, enable_block_offset_column = 1,
    index_granularity = 1024;

INSERT INTO {database:Identifier}.traces_fine SELECT * FROM {database:Identifier}.traces
SETTINGS max_partitions_per_insert_block = 0;

EXCHANGE TABLES {database:Identifier}.traces AND {database:Identifier}.traces_fine;

DROP TABLE {database:Identifier}.traces_fine SYNC SETTINGS max_table_size_to_drop = 0;
