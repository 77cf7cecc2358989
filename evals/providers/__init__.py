"""Models behind any provider, reached through the connections of a project."""
