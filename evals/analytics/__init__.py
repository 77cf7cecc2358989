"""What sums over scores and items of experiments mean: from rows of the stores to figures with intervals."""
