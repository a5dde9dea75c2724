"""The segmentation network, the domain discriminator, and their files."""
