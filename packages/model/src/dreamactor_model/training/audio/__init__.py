"""Stage audio: the face's tokens from speech."""
