"""Files: MRC volumes and masks, STAR picks, CSV tables, folders of subtomograms."""
