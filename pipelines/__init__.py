"""Bounded work over much data, on Ray Data."""
