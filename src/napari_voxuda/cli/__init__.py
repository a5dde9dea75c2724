"""The command line ``napari-voxuda``: one short function a subcommand."""
