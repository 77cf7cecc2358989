"""The JSON shapes of the contract, made of domain objects."""
