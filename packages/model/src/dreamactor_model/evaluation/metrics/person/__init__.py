"""Measures of the person in the result: where the body is, how the head is held, what the face does, and who it is."""
