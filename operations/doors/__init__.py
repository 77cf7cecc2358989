"""One module per Serve application: what it is built from."""
