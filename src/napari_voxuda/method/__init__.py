"""The Vox-UDA paper as functions: equations 1 to 15, each with one home."""
