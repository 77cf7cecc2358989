"""The composition root: the command line of the operator, start-up and deployment."""
