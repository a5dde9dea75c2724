"""The napari plugin: layers, files and docks. The only part that imports napari."""
