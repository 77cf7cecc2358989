"""The tables of PostgreSQL, one module per noun; they never leave `storage.postgres`."""
