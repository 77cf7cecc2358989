"""Tests of the mapping from wire to rows."""
