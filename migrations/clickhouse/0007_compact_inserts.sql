-- What a lane inserts lives for seconds until it is merged: one file instead of a hundred halves an insert's CPU.
ALTER TABLE {database:Identifier}.observations
    MODIFY SETTING min_bytes_for_wide_part = 67108864, vertical_merge_algorithm_min_rows_to_activate = 1;
