"""The dock *Vox-UDA 3-D* and its groups."""
