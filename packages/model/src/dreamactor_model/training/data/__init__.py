"""What the stages read: clips decoded once, latents encoded once."""
