"""Faults injected into a running stack under load, and what they cost."""
