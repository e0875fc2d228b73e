"""When a model or its tokens do not fit one device: weights that visit it, and sequences that are split."""
