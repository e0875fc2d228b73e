"""What E_f's features tell of people it never saw: expressions, and neither who it is nor how the head is held.

Probes are fitted on the training people and read on the test people. Crops lie where a detector may put them.
Legend: N faces, C feature width, U face units.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_dataset.face_set import LIGHT_TRUTHS, FaceSet
from torch import Tensor

from dreamactor_model.evaluation.probes import neighbours_r2, retrieval, ridge_r2
from dreamactor_model.training.face.face_crops import PLACE_TRUTHS, crop_face, draw_place

_BATCH = 64
NUISANCES = ("yaw", "pitch", "roll", *PLACE_TRUTHS, *LIGHT_TRUTHS)
"""What must not be readable: how a head is held, where its crop lies, how it is lit."""


def probe_faces(encode: Callable[[Tensor], Tensor], folder: Path) -> dict[str, float]:
    """Probe an encoder; no figures where the set has no test people.

    Args:
        encode: crops (K, 3, 224, 224) in [0, 1] -> features (K, C).
        folder: of a face set.

    Returns:
        expression_r2: mean over the visible units that move in the test split, `expression_r2_UNIT` each;
        `NUISANCE_r2`, yaw once more by a probe that is not linear; identity_top1, identity_chance and their ratio.
    """
    train, test = FaceSet.load(folder, "train"), FaceSet.load(folder, "test")
    if len(test) == 0:
        return {}
    (train_NC, train_hidden), (test_NC, test_hidden) = face_features(encode, train, 1), face_features(encode, test, 2)
    units_r2 = ridge_r2(train_NC, train.truth.units, test_NC, test.truth.units)
    hidden_r2 = ridge_r2(train_NC, train_hidden, test_NC, test_hidden)
    bent_r2 = neighbours_r2(train_NC, train_hidden, test_NC, test_hidden)
    top1, chance = retrieval(test_NC, test.people, test.truth.expressions)
    # A small test split may not move every unit.
    read = test.visible & np.isfinite(units_r2)
    seen = {ARKIT_UNITS[unit]: float(units_r2[unit]) for unit in np.flatnonzero(read)}
    return {
        "expression_r2": float(np.mean(list(seen.values()))),
        **{f"{name}_r2": float(r2) for name, r2 in zip(NUISANCES, hidden_r2, strict=True)},
        "yaw_r2_by_neighbours": float(bent_r2[0]),
        "identity_top1": top1,
        "identity_chance": chance,
        "identity_over_chance": top1 / chance if chance else 0.0,
        **{f"expression_r2_{name}": r2 for name, r2 in seen.items()},
    }


@torch.no_grad()
def face_features(encode: Callable[[Tensor], Tensor], faces: FaceSet, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, C) float64 features of all faces, cut out where a detector may put them, and (N, 10) the `NUISANCES`."""
    random = np.random.default_rng(seed)
    places = [draw_place(random) for _ in range(len(faces))]
    features = []
    for start in range(0, len(faces), _BATCH):
        rows = range(start, min(start + _BATCH, len(faces)))
        crops = torch.from_numpy(np.stack([crop_face(faces.picture(row), places[row]) for row in rows]))
        features.append(encode(crops.permute(0, 3, 1, 2).float() / 255))
    nuisances = [faces.truth.angles_rad, np.stack([place.truth for place in places]), faces.truth.light]
    return torch.cat(features).double().numpy(), np.concatenate(nuisances, axis=1)
