"""State in memory, one owner each: lanes, rate limits, budgets, job workers."""
