"""Wire to rows: pure functions, without disk, network or Ray."""
