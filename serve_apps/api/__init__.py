"""The query API: one router per noun."""
