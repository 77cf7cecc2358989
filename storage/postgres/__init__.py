"""The relational state: tables stay in here, domain objects leave."""
