"""Stage vae: the small video VAE."""
