"""SQL of users, confined to the rows of their project."""
