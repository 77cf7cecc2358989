"""Imports of what other platforms hold, through the API of a running server."""
