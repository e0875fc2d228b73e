"""From raw videos to a data set.

Read in this order: `videos` (the whole way), `discovery` and `clip_list` (what is there, what is stated), `inspection`
with `timeline`, `shots` and `looks/` (what each video is), `pieces`, `judging`, `splits`, `writing`, `rows`.
"""

from dreamactor_dataset.ingest.videos import MANIFEST, ingest_videos

__all__ = ["MANIFEST", "ingest_videos"]
