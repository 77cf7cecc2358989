"""The shared vocabulary of every layer."""
