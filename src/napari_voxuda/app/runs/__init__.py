"""Run folders: where they are, what they hold, and the list of them."""
