"""How synthetic people move: captured motion for the whole body, curves for talking faces, heads and gestures."""
