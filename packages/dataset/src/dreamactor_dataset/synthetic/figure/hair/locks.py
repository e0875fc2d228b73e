"""Locks: ribbons that follow the head in the direction in which hair is combed, and hang where it ends.

They give a head of hair its strands, an outline that is not a line, a parting and a fringe.
Legend: K locks, S steps along one, N = 2 K S vertices.
"""

import numpy as np
from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from scipy.sparse import csr_matrix

from dreamactor_dataset.synthetic.figure.hair.anchors import anchored, direction
from dreamactor_dataset.synthetic.figure.hair.curtain import EAR_LEVEL_RAD
from dreamactor_dataset.synthetic.figure.hair.cut import Hair
from dreamactor_dataset.synthetic.figure.hair.scalp import scalp_dm
from dreamactor_dataset.synthetic.figure.parts import Material, Part

_ROOTS = 900
_STEPS = 9
_HEAD_RADIUS_M = 0.095
_WHORL = direction(np.array(0.35), np.array(np.pi))
_KNOT = direction(np.array(1.0), np.array(np.pi))
_TIED = ("bun", "ponytail")
# Lowest a fringe reaches on the template: the brows.
_FRINGE_DM = 7.56


def locks(hair: Hair, random: np.random.Generator) -> Part:
    """Ribbons from everywhere on the scalp."""
    roots = _roots(hair, random)
    length_m = _lengths_m(hair, roots, random)
    path, drop_m = _comb(hair, roots, length_m, random)
    return _ribbons(hair, path, drop_m, random)


def _roots(hair: Hair, random: np.random.Generator) -> np.ndarray:
    """(K, 3) directions inside the hairline, evenly spread."""
    place = (np.arange(_ROOTS) + 0.5) / _ROOTS
    polar = np.arccos(1 - 1.35 * place)
    azimuth = np.mod(np.pi * (3 - np.sqrt(5)) * np.arange(_ROOTS), 2 * np.pi)
    spread = direction(polar, azimuth) + 0.03 * random.standard_normal((_ROOTS, 3))
    spread /= np.linalg.norm(spread, axis=1, keepdims=True)
    inside = scalp_dm(anchored(spread) @ load_base_mesh().template_dm, hair.receding)
    return spread[inside > 0.02]


def _lengths_m(hair: Hair, roots: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(K,) how far each lock reaches."""
    uneven = random.uniform(0.75, 1.15, len(roots))
    if hair.style in ("bob", "long"):
        to_ears_m = _HEAD_RADIUS_M * np.clip(EAR_LEVEL_RAD - _polar(roots), 0, None)
        return to_ears_m + (0.045 + hair.length_m) * uneven
    if hair.style in _TIED:
        return _HEAD_RADIUS_M * np.arccos(np.clip(roots @ _KNOT, -1, 1)) * np.clip(uneven, 0, 0.97)
    return (0.010 + 1.7 * hair.thickness_m) * uneven


def _comb(
    hair: Hair, roots: np.ndarray, length_m: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Directions (S, K, 3) along each lock, and how far below ear level it hangs there (S, K) in metres."""
    step_m = length_m / (_STEPS - 1)
    here, drop_m = roots.copy(), np.zeros(len(roots))
    part = hair.parting * np.ones(len(roots)) + 0.03 * random.standard_normal(len(roots))
    fringe = (roots[:, 2] > 0.42) & (np.abs(roots[:, 0]) < 0.42) & (hair.fringe > 0)
    stray = 0.12 * random.standard_normal((len(roots), 3))
    path, drops = [here], [drop_m]
    for _ in range(_STEPS - 1):
        # What is tied does not hang.
        falling = (_polar(here) >= EAR_LEVEL_RAD) & (hair.style not in _TIED)
        flow = np.where(fringe[:, None], (0.25 * hair.parting, -0.6, 1.0), _flow(hair, here, part)) + stray
        flow -= (flow * here).sum(axis=1, keepdims=True) * here
        flow /= np.maximum(np.linalg.norm(flow, axis=1, keepdims=True), 1e-6)
        there = here + flow * (step_m / _HEAD_RADIUS_M * ~falling)[:, None]
        there /= np.linalg.norm(there, axis=1, keepdims=True)
        height_dm = (anchored(there) @ load_base_mesh().template_dm)[:, 1]
        stop = fringe & (height_dm < _FRINGE_DM)
        here = np.where(stop[:, None], here, there)
        drop_m = drop_m + step_m * falling
        path.append(here)
        drops.append(drop_m)
    return np.stack(path), np.stack(drops)


def _flow(hair: Hair, here: np.ndarray, part: np.ndarray) -> np.ndarray:
    """(K, 3) where hair is combed to at directions (K, 3)."""
    if hair.style in _TIED:
        return np.broadcast_to(_KNOT, here.shape) - here
    if hair.style in ("bob", "long"):
        side = np.where(here[:, 0] > part, 1.0, -1.0)
        back = np.where(here[:, 2] > 0.1, -0.35, -0.1)
        return np.stack([side, np.full(len(here), -0.75), back], axis=1)
    away = here - _WHORL
    swept = np.stack([np.full(len(here), hair.parting * 3.0), np.zeros(len(here)), np.zeros(len(here))], axis=1)
    front = np.clip(here[:, 2:] + 0.2, 0, 1)
    return away / np.linalg.norm(away, axis=1, keepdims=True) + front * swept


def _polar(directions: np.ndarray) -> np.ndarray:
    return np.arccos(np.clip(directions[:, 1], -1, 1))


def _ribbons(hair: Hair, path: np.ndarray, drop_m: np.ndarray, random: np.random.Generator) -> Part:
    steps, count = drop_m.shape
    along = np.linspace(0, 1, steps)[:, None]
    outward = path.copy()
    outward[drop_m > 0, 1] = 0
    outward /= np.maximum(np.linalg.norm(outward, axis=-1, keepdims=True), 1e-6)
    shift_m = outward * _lift_m(hair, along, drop_m, path, random)[..., None] - drop_m[..., None] * (0, 1, 0)
    side = np.cross(_tangents(path, drop_m), outward)
    side /= np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), 1e-6)
    taper: np.ndarray = (1 - 0.85 * along**2) * np.clip(0.5 + 4 * along, 0, 1)
    width_m = taper * random.uniform(0.005, 0.011, count)
    edges_m = np.stack([shift_m - 0.5 * side * width_m[..., None], shift_m + 0.5 * side * width_m[..., None]], axis=2)
    blend = anchored(path.reshape(-1, 3))
    number = np.arange(steps * count * 2).reshape(steps, count, 2)
    a, b, c, d = number[:-1, :, 0], number[:-1, :, 1], number[1:, :, 1], number[1:, :, 0]
    triangles = np.concatenate([np.stack(corners, axis=-1).reshape(-1, 3) for corners in ((a, c, b), (a, d, c))])
    # Texture coordinates: across the ribbon, and the lock's own tone.
    tone = np.broadcast_to(0.05 + 0.95 * random.random((1, count, 1)), number.shape)
    uv = np.stack([np.broadcast_to((0.0, 1.0), number.shape), tone], axis=-1).reshape(-1, 2)
    return Part(
        blend=csr_matrix(blend[np.repeat(np.arange(steps * count), 2)]),
        triangles=triangles.astype(np.int32),
        material=np.full(len(triangles), Material.HAIR, np.int32),
        offset_m=np.zeros(number.size),
        shift_m=edges_m.reshape(-1, 3),
        keep_dm=np.ones(number.size),
        uv=uv[triangles],
        two_sided=True,
    )


def _lift_m(
    hair: Hair, along: np.ndarray, drop_m: np.ndarray, path: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """(S, K) how far above the scalp each point of a lock lies."""
    count = drop_m.shape[1]
    azimuth = np.abs(np.arctan2(path[..., 0], path[..., 2]))
    over_ears = 0.018 * np.exp(-(((azimuth - 1.65) / 0.45) ** 2)) * np.clip((np.arccos(path[..., 1]) - 1.0) / 0.5, 0, 1)
    rise = np.clip(0.25 + 2.5 * along, 0, 1) * random.uniform(0.9, 1.2, count)
    loose = random.uniform(0.0, 0.25 if hair.style in _TIED else 1.0, count) * along**2
    if hair.style in ("bob", "long"):
        hanging = 0.10 * drop_m * (0.4 + np.clip(-np.cos(azimuth), 0, 1)) + 0.004 * (drop_m > 0)
        wave = {"straight": 0.002, "wavy": 0.008, "coily": 0.014}[hair.texture]
        curl = wave * np.sin(120 * drop_m + random.uniform(0, 6.28, count)) * (drop_m > 0)
        return 1.15 * hair.thickness_m + 0.003 + over_ears + hanging + curl + 0.006 * loose
    return hair.thickness_m * rise + 0.001 + 0.006 * loose


def _tangents(path: np.ndarray, drop_m: np.ndarray) -> np.ndarray:
    """(S, K, 3) along each lock."""
    places = _HEAD_RADIUS_M * path - drop_m[..., None] * (0, 1, 0)
    return np.gradient(places, axis=0) + 1e-9
