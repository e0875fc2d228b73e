"""Glasses: a rim around each eye, a bridge and two arms, hung on the eyes and the ears of whoever wears them.

Legend: C points along a wire, N vertices.
"""

from dataclasses import dataclass

import numpy as np
from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from scipy.sparse import csr_matrix, vstack

from dreamactor_dataset.synthetic.figure.colours import Colour
from dreamactor_dataset.synthetic.figure.parts import Material, Part, join

_WORN_SHARE = 0.16
_FRAMES: tuple[Colour, ...] = (
    (0.010, 0.010, 0.011),
    (0.050, 0.022, 0.010),
    (0.30, 0.28, 0.26),
    (0.35, 0.02, 0.02),
    (0.02, 0.04, 0.16),
    (0.40, 0.28, 0.08),
)
_POINTS, _AROUND = 28, 6
# From the middle of the eyeball: before the lashes, and where the arms start.
_BEFORE_M = 0.025
_BEND_M = 0.004
_EAR_DM = np.array((0.80, 7.32, 0.42))


@dataclass(frozen=True)
class Glasses:
    """A frame: half its width and height at one eye, how square it is (2 an ellipse), and how thick."""

    colour: Colour
    half_width_m: float
    half_height_m: float
    power: float
    thickness_m: float


def draw_glasses(random: np.random.Generator) -> Glasses | None:
    """Glasses for some."""
    worn = random.random() < _WORN_SHARE
    half_width_m = float(random.uniform(0.023, 0.028))
    glasses = Glasses(
        colour=_FRAMES[random.integers(len(_FRAMES))],
        half_width_m=half_width_m,
        half_height_m=half_width_m * float(random.uniform(0.62, 0.95)),
        power=float(random.choice((2.0, 2.6, 4.0))),
        thickness_m=float(random.uniform(0.0009, 0.0020)),
    )
    return glasses if worn else None


def glasses_parts(glasses: Glasses) -> list[Part]:
    """Rims, bridge and arms as one part."""
    wires = [_bridge(glasses)]
    for side in (1.0, -1.0):
        wires += [_rim(glasses, side), _arm(glasses, side)]
    return [join(wires)[0]]


def _eye(side: float) -> csr_matrix:
    """(1, V) the middle of an eyeball."""
    mesh = load_base_mesh()
    vertices = np.unique(mesh.quads["helper-l-eye" if side > 0 else "helper-r-eye"])
    share = np.full(len(vertices), 1 / len(vertices))
    return csr_matrix((share, (np.zeros(len(vertices), int), vertices)), shape=(1, len(mesh.template_dm)))


def _ear(side: float) -> csr_matrix:
    """(1, V) where an arm rests."""
    template_dm = load_base_mesh().template_dm
    body = np.unique(load_base_mesh().quads["body"])
    distance = np.linalg.norm(template_dm[body] - _EAR_DM * (side, 1, 1), axis=1)
    return csr_matrix(([1.0], ([0], [body[np.argmin(distance)]])), shape=(1, len(template_dm)))


def _rim(glasses: Glasses, side: float) -> Part:
    angle = np.linspace(0, 2 * np.pi, _POINTS)
    x, y = (np.sign(wave) * np.abs(wave) ** (2 / glasses.power) for wave in (np.cos(angle), np.sin(angle)))
    # Wide at the temple, set a little low, and bent round the face.
    across_m, up_m = glasses.half_width_m * x + side * 0.002, glasses.half_height_m * y - 0.002
    back_m = _BEND_M * (side * across_m / glasses.half_width_m).clip(0) ** 2
    line_m = np.stack([across_m, up_m, _BEFORE_M - back_m], axis=1)
    return _wire([_eye(side)] * _POINTS, line_m, glasses)


def _bridge(glasses: Glasses) -> Part:
    inner_m = glasses.half_width_m - 0.002
    shares = (0.0, 0.35, 0.65, 1.0)
    # From the inner side of the left rim to that of the right one, bent over the nose.
    line_m = np.stack([(-inner_m, -0.3 * inner_m, 0.3 * inner_m, inner_m), (0.004, 0.007, 0.007, 0.004)], axis=1)
    line_m = np.column_stack([line_m, (_BEFORE_M, _BEFORE_M + 0.002, _BEFORE_M + 0.002, _BEFORE_M)])
    places = [csr_matrix((1 - share) * _eye(1.0) + share * _eye(-1.0)) for share in shares]
    return _wire(places, line_m, glasses)


def _arm(glasses: Glasses, side: float) -> Part:
    outer_m = side * (glasses.half_width_m + 0.001)
    hinge_m = (outer_m, 0.004, _BEFORE_M - _BEND_M)
    line_m = np.array((hinge_m, (side * 0.003, 0.006, 0.0), (side * 0.001, -0.012, -0.02)))
    return _wire([_eye(side), _ear(side), _ear(side)], line_m, glasses)


def _wire(places: list[csr_matrix], line_m: np.ndarray, glasses: Glasses) -> Part:
    """A tube along points that hang on places of the head."""
    count = len(line_m)
    angle = np.arange(_AROUND) / _AROUND * 2 * np.pi
    along = np.gradient(line_m, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    first = np.cross(along, (0.1, 0.2, 1.0) if count == _POINTS else (0.0, 1.0, 0.1))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(along, first)
    ring = np.cos(angle)[None, :, None] * first[:, None] + np.sin(angle)[None, :, None] * second[:, None]
    shift_m = line_m[:, None] + glasses.thickness_m * ring
    number = np.arange(count * _AROUND).reshape(count, _AROUND)
    right = np.roll(number, -1, axis=1)
    a, b, c, d = number[:-1], right[:-1], right[1:], number[1:]
    triangles = np.concatenate([np.stack(corners, axis=-1).reshape(-1, 3) for corners in ((a, b, c), (a, c, d))])
    return Part(
        blend=csr_matrix(csr_matrix(vstack(places))[np.repeat(np.arange(count), _AROUND)]),
        triangles=triangles.astype(np.int32),
        material=np.full(len(triangles), Material.FRAME, np.int32),
        offset_m=np.zeros(number.size),
        shift_m=shift_m.reshape(-1, 3),
        keep_dm=np.ones(number.size),
        uv=np.zeros((len(triangles), 3, 2)),
        two_sided=True,
    )
