"""The dock *Vox-UDA adapt* and its groups."""
