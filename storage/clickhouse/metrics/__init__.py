"""Metrics: the catalogue of what can be asked, its compiler to SQL, and the readers."""
