"""Masking: what must not be stored is replaced before a record is made of it, on every path."""
