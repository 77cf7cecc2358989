"""ClickHouse: traces, observations and scores, written by the lanes and read by everyone."""
