"""A long steady load with faults, after which everything is to be as it was."""
