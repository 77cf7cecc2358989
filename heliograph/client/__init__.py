"""The Python client: selections, SQL and scores of a project, from scripts and notebooks."""
