"""Jobs, tasks and controllers that the command line and the docks share; free of Qt and napari."""
