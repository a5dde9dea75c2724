"""Peak memory of the program on a tomogram of full size."""
