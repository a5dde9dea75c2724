"""Export a mask for other programs: the task, its plan, and the export window."""
