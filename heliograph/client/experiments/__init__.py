"""Experiments: a task over the items of a dataset, its outputs judged, all of it kept by the server."""
