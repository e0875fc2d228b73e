"""The tiny model that comes with the package, and how a finished model becomes it (docs/model-card.md).

`tiny/` holds one whole model: transformer, face encoder, VAE and audio encoder.
"""

from pathlib import Path

RELEASED_FOLDER = Path(__file__).parent / "tiny"

__all__ = ["RELEASED_FOLDER"]
