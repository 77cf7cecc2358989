"""The ingestion doors."""
