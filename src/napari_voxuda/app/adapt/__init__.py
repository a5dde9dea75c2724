"""Adapt a network to a target: the task, its check, and the dock *Vox-UDA adapt*."""
