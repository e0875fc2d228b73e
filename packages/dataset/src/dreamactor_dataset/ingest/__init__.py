"""From a folder of videos to a data set: find, inspect, judge, split, copy."""

from dreamactor_dataset.ingest.folder import ingest_folder

__all__ = ["ingest_folder"]
