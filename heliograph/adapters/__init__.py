"""Evaluators of other libraries as evaluators of ours; each library is an extra of this package."""
