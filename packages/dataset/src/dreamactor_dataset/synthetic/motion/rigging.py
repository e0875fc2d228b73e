"""A performance on a particular body: from neutral-stance joint rotations to the rotation of every bone.

Legend: T frames, B bones.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from dreamactor_core.skeleton import joint_index
from dreamactor_signals.body_models.makehuman.rig import load_rig
from dreamactor_signals.rotations import shortest_rotation

from dreamactor_dataset.synthetic.figure.figure import Figure
from dreamactor_dataset.synthetic.figure.posing import BonePose, pose_bones, posed_joints_m
from dreamactor_dataset.synthetic.motion.performance import SIDES, Performance
from dreamactor_dataset.synthetic.motion.rotations import around, fraction

_Turn = Callable[[str, np.ndarray], None]

_LETTER = {"left": "L", "right": "R"}
_SPINE = tuple(f"spine0{number}" for number in (5, 4, 3, 2, 1))
_NECK = ("neck01", "neck02", "neck03", "head")
# Clothed arms hang a little away from the trunk.
_ARM_HANG_RAD = 0.14
_CURL_RAD = (1.25, 1.45, 1.0)
_FINGER_NUMBERS = (2, 3, 4, 5)
_SOLES = [joint_index(f"{side}_{joint}") for side in SIDES for joint in ("heel", "toe")]


def rig_performance(figure: Figure, performance: Performance) -> BonePose:
    """Bones of a figure over T frames, the lowest joint of the whole clip standing on the ground."""
    rig = load_rig()
    local = np.tile(np.eye(3), (performance.frame_count, len(rig.names), 1, 1))

    def turn(bone: str, rotation: np.ndarray) -> None:
        local[:, rig.index(bone)] = rotation

    turn("root", performance.of("root"))
    _spread(turn, _SPINE, performance.of("chest"))
    _spread(turn, _NECK, performance.of("neck"))
    for side in SIDES:
        _arm(turn, figure, performance, side)
        _leg(turn, figure, performance, side)
        _hand(turn, figure, performance, side)
    return _grounded(figure, pose_bones(figure.bone_heads_m, local, _root_m(figure, performance)))


def _spread(turn: _Turn, bones: tuple[str, ...], rotation: np.ndarray) -> None:
    """One rotation shared evenly by a chain."""
    share = fraction(rotation, 1 / len(bones))
    for bone in bones:
        turn(bone, share)


def _head_m(figure: Figure, bone: str) -> np.ndarray:
    return figure.bone_heads_m[load_rig().index(bone)]


def _arm(turn: _Turn, figure: Figure, performance: Performance, side: str) -> None:
    letter = _LETTER[side]
    out = np.sin(_ARM_HANG_RAD) * (1 if side == "left" else -1)
    down = np.array((out, -np.cos(_ARM_HANG_RAD), 0.0))
    shoulder, elbow, wrist = (_head_m(figure, f"{bone}.{letter}") for bone in ("upperarm01", "lowerarm01", "wrist"))
    upper, fore = shortest_rotation(elbow - shoulder, down), shortest_rotation(wrist - elbow, down)
    turn(f"upperarm01.{letter}", performance.of(f"{side}_shoulder") @ upper)
    turn(f"lowerarm01.{letter}", upper.T @ performance.of(f"{side}_elbow") @ fore)
    sign = 1.0 if side == "left" else -1.0
    half = around(down, sign * performance.pronation_rad[side] / 2)
    # Half of the turn lies in the forearm, so that no wrist is wrung.
    turn(f"lowerarm02.{letter}", fore.T @ half @ fore)
    turn(f"wrist.{letter}", fore.T @ half @ performance.of(f"{side}_wrist") @ fore)


def _leg(turn: _Turn, figure: Figure, performance: Performance, side: str) -> None:
    letter = _LETTER[side]
    down = np.array((0.03 if side == "left" else -0.03, -1.0, 0.0))
    hip, knee, ankle = (_head_m(figure, f"{bone}.{letter}") for bone in ("upperleg01", "lowerleg01", "foot"))
    thigh, shin = shortest_rotation(knee - hip, down), shortest_rotation(ankle - knee, down)
    turn(f"upperleg01.{letter}", performance.of(f"{side}_hip") @ thigh)
    turn(f"lowerleg01.{letter}", thigh.T @ performance.of(f"{side}_knee") @ shin)
    turn(f"foot.{letter}", shin.T @ performance.of(f"{side}_ankle"))


def _hand(turn: _Turn, figure: Figure, performance: Performance, side: str) -> None:
    """Fingers bend about the line of the knuckles, the thumb less."""
    letter = _LETTER[side]
    knuckles = _head_m(figure, f"finger2-1.{letter}") - _head_m(figure, f"finger5-1.{letter}")
    hinge = knuckles / np.linalg.norm(knuckles) * (1 if side == "left" else -1)
    curl = performance.curl[side]
    for number in _FINGER_NUMBERS:
        for phalanx, reach in enumerate(_CURL_RAD, start=1):
            turn(f"finger{number}-{phalanx}.{letter}", around(hinge, curl * reach))
    for phalanx, reach in ((2, 0.5), (3, 0.7)):
        turn(f"finger1-{phalanx}.{letter}", around(hinge, curl * reach))


def _root_m(figure: Figure, performance: Performance) -> np.ndarray:
    """(T, 3) of the root bone: motion in leg lengths, scaled to these legs."""
    hip, ankle = _head_m(figure, "upperleg01.L"), _head_m(figure, "foot.L")
    leg_m = float(np.linalg.norm(hip - ankle))
    return _head_m(figure, "root") + leg_m * performance.root_legs


def _grounded(figure: Figure, pose: BonePose) -> BonePose:
    """Lifted or lowered as a whole, so that the clip's lowest heel or toe is as high as at rest."""
    joints_m = posed_joints_m(figure, pose)[:, _SOLES, 1]
    lift_m = figure.joints.points_m[_SOLES, 1].min() - joints_m.min()
    return replace(pose, heads_m=pose.heads_m + np.array((0.0, lift_m, 0.0)))
