"""Masks and particles in three dimensions: the dock *Vox-UDA 3-D*."""
