"""Which clips are good enough to train on, and why the others are not.

Read in this order: `clips` (the whole way), `measures` with `performance` (from tracks), `pictures` and
`overlays` (from frames), `limits`.
"""

from dreamactor_dataset.curate.clips import curate_clips

__all__ = ["curate_clips"]
