"""Qt widgets without decisions: they show facts and report intentions."""
