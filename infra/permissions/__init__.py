"""What each function may do, held against what its code calls in both directions."""
