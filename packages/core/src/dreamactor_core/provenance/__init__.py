"""Where a result comes from: a sidecar beside it, and signed Content Credentials (C2PA) inside every video.

Read in this order: `record`, `identity` (who signs), `signing`, `verification`.
"""

from dreamactor_core.provenance.record import Ingredient, Record, git_commit, sidecar_path, write_sidecar

__all__ = ["Ingredient", "Record", "git_commit", "sidecar_path", "write_sidecar"]
