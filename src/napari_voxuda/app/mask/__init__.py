"""The mask of a probability: its choice, its layers, its edits and their history."""
