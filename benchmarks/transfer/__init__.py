"""How well an adaptation transfers to targets whose molecules and noise its source never saw."""
