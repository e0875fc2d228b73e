"""Draw one frame: project, rasterise at twice the size, shade, put before the background, average down, encode.

Legend: N vertices, M triangles, H W pixels of the frame (the buffers are twice as large).
"""

from dataclasses import dataclass, field

import numpy as np

from dreamactor_dataset.synthetic.figure.clothes.outfit import Cloth
from dreamactor_dataset.synthetic.figure.figure import Figure
from dreamactor_dataset.synthetic.figure.paint import HEAD_WINDOW
from dreamactor_dataset.synthetic.figure.parts import Material
from dreamactor_dataset.synthetic.render.camera import Camera
from dreamactor_dataset.synthetic.render.ground import shade_ground
from dreamactor_dataset.synthetic.render.lights import Lights
from dreamactor_dataset.synthetic.render.raster import EMPTY, rasterize, vertex_normals
from dreamactor_dataset.synthetic.render.shade import shade

SUPERSAMPLING = 2
_NEAR_M = 0.05
_SHADOW_SIZE = 512
_SHADOW_REACH_M = 1.15
_GAMMA = 1 / 2.2
_STRANDS = {"straight": 0, "wavy": 1, "coily": 2}


@dataclass(frozen=True)
class Scene:
    """What a frame is drawn from.

    Attributes:
        figure: the person.
        camera: where from.
        lights: camera axes.
        background: (2H, 2W, 3) float32, linear light.
        wall_m: how far behind the person the floor ends, on which shadows fall; None where no floor is seen.
        scenery_motion: (2, 3) where the camera sees the background, as `MotionTrack.scenery_motion`.
    """

    figure: Figure
    camera: Camera
    lights: Lights
    background: np.ndarray
    wall_m: float | None = None
    scenery_motion: np.ndarray = field(default_factory=lambda: np.eye(2, 3))


def draw(scene: Scene, points_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One frame of a figure whose vertices stand at (N, 3) float32, body axes.

    Returns:
        (H, W, 3) uint8 RGB and (H, W) float32 share of each pixel that the person covers.
    """
    figure, camera = scene.figure, scene.camera
    width, height = camera.size[0] * SUPERSAMPLING, camera.size[1] * SUPERSAMPLING
    points_cam = camera.to_camera(points_m).astype(np.float32)
    points_px = (camera.to_pixels(points_cam) * SUPERSAMPLING).astype(np.float32)
    depth = points_cam[:, 2]
    nearness = np.where(depth > _NEAR_M, 1 / np.maximum(depth, _NEAR_M), -np.inf).astype(np.float32)
    _, index = rasterize(points_px, nearness, figure.triangles, figure.keep, figure.two_sided, height, width)
    image = scene.background.copy()
    frame, shadow_depth = _shadow_map(scene, points_cam)
    if scene.wall_m is not None:
        shade_ground(index, image, _ground(camera, points_m, scene.wall_m), frame, shadow_depth)
    shade(
        index,
        points_px,
        points_cam,
        vertex_normals(points_cam, figure.triangles),
        figure.triangles,
        figure.material,
        figure.uv,
        figure.place,
        figure.openness,
        figure.folds,
        figure.head_paint,
        np.array(HEAD_WINDOW, np.float32),
        *_material_table(figure),
        _light_table(scene.lights),
        frame,
        shadow_depth,
        image,
    )
    return encode(image), _average((index != EMPTY).astype(np.float32)[..., None])[..., 0]


def encode(image: np.ndarray) -> np.ndarray:
    """(2H, 2W, 3) linear light to (H, W, 3) uint8: average, roll highlights off, gamma."""
    linear = _average(image)
    rolled = linear / (1 + np.maximum(linear - 0.6, 0) * 0.8)
    return np.round(255 * np.clip(rolled, 0, 1) ** _GAMMA).astype(np.uint8)


def _average(image: np.ndarray) -> np.ndarray:
    """Each block of `SUPERSAMPLING` squared pixels as one."""
    steps = range(SUPERSAMPLING)
    total = sum(image[row::SUPERSAMPLING, column::SUPERSAMPLING] for row in steps for column in steps)
    return np.asarray(total) / np.float32(SUPERSAMPLING**2)


def _ground(camera: Camera, points_m: np.ndarray, wall_m: float) -> np.ndarray:
    """What `shade_ground` needs to know of the floor, in the pixels of the buffers."""
    feet_m = points_m.mean(axis=0) * (1, 0, 1)
    below = camera.to_camera(feet_m)
    normal = camera.rotation @ (0.0, 1.0, 0.0)
    lens = (SUPERSAMPLING * camera.focal_px, *(SUPERSAMPLING * camera.principal_px))
    return np.array((*normal, normal @ below, *below, below[2] + wall_m, *lens), np.float32)


def _shadow_map(scene: Scene, points_cam: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Camera space -> map (3, 4), and the nearness map of the key light around what the camera looks at."""
    light = scene.lights.key_direction
    side = np.cross(light, (0.0, 1.0, 0.0))
    side /= np.linalg.norm(side)
    axes = np.stack([side, np.cross(light, side), light])
    distance_m = float(np.median(points_cam[scene.figure.face, 2]))
    span_m = max(camera_span_m(scene.camera, distance_m), 0.4)
    scale = _SHADOW_SIZE / (2 * _SHADOW_REACH_M * span_m)
    frame = np.zeros((3, 4))
    frame[:2, :3] = axes[:2] * scale
    frame[2, :3] = axes[2]
    center = np.array((0.0, 0.0, distance_m))
    frame[:2, 3] = _SHADOW_SIZE / 2 - frame[:2, :3] @ center
    frame = frame.astype(np.float32)
    mapped = points_cam @ frame[:, :3].T + frame[:, 3]
    figure = scene.figure
    both = np.ones(len(figure.triangles), bool)
    depth, _ = rasterize(
        np.ascontiguousarray(mapped[:, :2]),
        np.ascontiguousarray(mapped[:, 2]),
        figure.triangles,
        figure.keep,
        both,
        _SHADOW_SIZE,
        _SHADOW_SIZE,
    )
    return frame, depth


def camera_span_m(camera: Camera, distance_m: float) -> float:
    """Half of what the camera sees at a distance, in metres."""
    return distance_m * max(camera.size) / camera.focal_px / 2


def _material_table(figure: Figure) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colours, second colours and patterns by material."""
    who, clothes = figure.identity, figure.identity.clothes
    plain = {
        Material.SKIN: who.skin,
        Material.EYE: (0.62, 0.60, 0.57),
        Material.LASH: tuple(0.35 * skin + 0.01 for skin in who.skin),
        Material.TEETH: (0.62, 0.57, 0.47),
        Material.MOUTH: (0.32, 0.09, 0.08),
        Material.HAIR: who.hair.colour,
        Material.FRAME: who.glasses.colour if who.glasses is not None else (0.0, 0.0, 0.0),
    }
    cloths: dict[Material, Cloth] = {
        Material.TOP: clothes.top,
        Material.JACKET: clothes.jacket or clothes.top,
        Material.BOTTOM: clothes.bottom,
        Material.SHOES: clothes.shoes,
        Material.HAT: clothes.hat or clothes.top,
    }
    colours, seconds = np.zeros((len(Material), 3), np.float32), np.zeros((len(Material), 3), np.float32)
    patterns = np.zeros((len(Material), 3), np.float32)
    for material, colour in plain.items():
        colours[material] = colour
    seconds[Material.EYE] = who.iris
    flowing = who.hair.style not in ("cropped", "short", "afro")
    patterns[Material.HAIR] = _STRANDS[who.hair.texture], 3.0 if flowing else 1.0, 0.0
    for material, cloth in cloths.items():
        colours[material], seconds[material], patterns[material] = (
            cloth.colour,
            cloth.second,
            (cloth.pattern, cloth.scale, cloth.ribbed),
        )
    return colours, seconds, patterns


def _light_table(lights: Lights) -> np.ndarray:
    rows = (lights.key_direction, lights.key, lights.fill_direction, lights.fill, lights.sky, lights.ground)
    return np.stack(rows).astype(np.float32)
