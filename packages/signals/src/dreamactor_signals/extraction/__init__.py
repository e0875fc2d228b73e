"""From videos to motion tracks: one at a time, or every clip of a manifest, in shards and worker processes.

Read in this order: `video` (one video), `manifest` (all clips), `shards` (what is done already), `workers` (processes),
`job` (one clip in a worker).
"""

from dreamactor_signals.extraction.job import TRACKS_FOLDER
from dreamactor_signals.extraction.manifest import MANIFEST_NAME, extract_manifest
from dreamactor_signals.extraction.shards import Share
from dreamactor_signals.extraction.video import extract_video

__all__ = ["MANIFEST_NAME", "TRACKS_FOLDER", "Share", "extract_manifest", "extract_video"]
