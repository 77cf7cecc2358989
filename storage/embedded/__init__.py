"""The embedded engines and their supervisor: real servers out of PyPI wheels, owned by one process."""
