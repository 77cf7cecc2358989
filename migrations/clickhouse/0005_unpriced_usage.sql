-- Usage keys that have no price are named on their observation, so that nothing is billed silently as zero.
ALTER TABLE {database:Identifier}.observations
    ADD COLUMN IF NOT EXISTS unpriced_usage Array(LowCardinality(String)) AFTER pricing_tier;
