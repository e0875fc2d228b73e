"""Where the parts of a picture are in another frame, known there or not."""

from collections.abc import Mapping
from dataclasses import replace

from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.warp.flat import Flat
from dreamactor_signals.warp.parts import TORSO, TRUNK
from dreamactor_signals.warp.placing import Placement, place_parts


def follow_parts(start: Mapping[str, Placement], track: MotionTrack, frame: int) -> dict[str, Placement]:
    """Of the parts that a frame shows. A trunk of which nothing is known stays; a limb has gone from sight.

    Args:
        start: the parts of the picture (`placing.place_parts`).
        track, frame: where they are looked for.
    """
    known = place_parts(track, frame, stumps=True)
    if not known:
        return dict(start)
    trunk = {name: place for name, place in start.items() if name in TRUNK}
    known = trunk | known
    moved_m = known[TORSO].depth_m - start[TORSO].depth_m if TORSO in trunk else 0.0
    return {name: _surely(start.get(name), place, moved_m) for name, place in known.items()}


def _surely(start: Placement | None, now: Placement, moved_m: float) -> Placement:
    """A limb whose end is a guess both times goes with its joint, and lies before or behind what it did."""
    if isinstance(start, Flat) and isinstance(now, Flat) and start.is_guess and now.is_guess:
        return replace(start.carried_to(now), depth_m=start.depth_m + moved_m)
    return now
