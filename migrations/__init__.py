"""The schemas of the stores, step by step."""
