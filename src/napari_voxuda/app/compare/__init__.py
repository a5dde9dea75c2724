"""Compare a mask with other labels."""
