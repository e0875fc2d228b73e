"""Places to be before: each kind a function of a generator, a size, and where the floor ends."""
