"""Batch ingestion: events that create and update traces, observations and scores, in parts and in any order."""
