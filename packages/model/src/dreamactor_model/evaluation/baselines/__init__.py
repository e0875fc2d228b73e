"""What a model must beat: ways of animating a person that have learned nothing.

`copying`: the reference stands still. `warp`: the reference is cut into limbs that move with the joints; read `parts`
(what the limbs are), `cutting` (the person out of the picture), `placing` (where a limb goes), `warp` (the video).
"""

from dreamactor_model.evaluation.baselines.copying import CopyReference
from dreamactor_model.evaluation.baselines.warp import Warp

__all__ = ["CopyReference", "Warp"]
