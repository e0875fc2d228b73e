"""How often clips are shown, and what is kept apart: shares of sampling, the frozen evaluation list."""
