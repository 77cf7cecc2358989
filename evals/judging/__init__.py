"""The judge itself: its prompt, its answer, the provider behind it, retries and the cache."""
