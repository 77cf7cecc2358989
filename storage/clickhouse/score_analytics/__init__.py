"""Figures over all scores of a project, as exact sums that ClickHouse takes whatever their number."""
