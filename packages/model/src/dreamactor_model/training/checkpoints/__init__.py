"""Training checkpoints: what a rank holds, written beside the training, whole or absent, for any number of ranks."""
