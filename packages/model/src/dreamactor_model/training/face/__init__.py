"""Stage face: motion tokens of face crops."""
