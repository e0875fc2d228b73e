"""A parametric body fitted to the joints that a tracker sees over a clip: 3-D, metric, complete and smooth."""

from dreamactor_signals.fit.clip import fit_clip
from dreamactor_signals.fit.fitted_clip import FittedClip
from dreamactor_signals.fit.keypoints import Keypoints

__all__ = ["FittedClip", "Keypoints", "fit_clip"]
