"""Learn from corrections: the task, where to look, and the dock *Vox-UDA refine*."""
