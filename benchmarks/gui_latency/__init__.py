"""How long the window makes its user wait while a run trains, and what the window costs the run."""
