"""How well a mask agrees with the truth: pure numpy, read slab by slab."""
