"""What agents use: the routes of the API as tools."""
