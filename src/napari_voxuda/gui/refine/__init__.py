"""The dock *Vox-UDA refine* and its groups."""
