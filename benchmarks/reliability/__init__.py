"""What the program stands: being killed at random moments, and files that are damaged at random."""
