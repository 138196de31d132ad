"""The functions' permissions. Tests compare them with the calls in the code, in both directions."""
