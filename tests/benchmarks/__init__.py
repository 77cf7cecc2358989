"""Benchmarks, each with its ceiling in the same run."""
