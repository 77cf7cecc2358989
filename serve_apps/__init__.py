"""The doors: the HTTP applications."""
