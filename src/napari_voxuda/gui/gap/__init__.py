"""The dock *Vox-UDA domain gap* and its plots."""
