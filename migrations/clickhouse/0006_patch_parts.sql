-- Deletions write patch parts, which take milliseconds, where a mutation waits for merges; for that, rows need numbers that outlive merges.
ALTER TABLE {database:Identifier}.observations
    MODIFY SETTING enable_block_number_column = 1, enable_block_offset_column = 1;

ALTER TABLE {database:Identifier}.traces
    MODIFY SETTING enable_block_number_column = 1, enable_block_offset_column = 1;

ALTER TABLE {database:Identifier}.scores
    MODIFY SETTING enable_block_number_column = 1, enable_block_offset_column = 1;
