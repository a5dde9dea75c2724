"""The live prediction and the snapshots of a run, on the slice in view."""
