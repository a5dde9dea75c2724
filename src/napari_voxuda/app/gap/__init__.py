"""How far source and target are apart: the task and the dock *Vox-UDA domain gap*."""
