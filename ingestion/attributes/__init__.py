"""The attribute mapping: one module per target, precedence declared as data."""
