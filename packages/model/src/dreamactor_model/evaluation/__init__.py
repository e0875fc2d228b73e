"""How a checkpoint is judged: metrics, held-out clips, the report."""
