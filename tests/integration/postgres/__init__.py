"""Tests of the relational state on a real PostgreSQL."""
