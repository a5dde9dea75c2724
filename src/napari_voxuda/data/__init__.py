"""Values that the layers exchange: volumes, picks, boxes, normalisation."""
