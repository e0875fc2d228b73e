"""LiteRT networks that ship inside installed wheels, and the geometry around them."""
