"""The baselines: what a scene shows a contender is what they use."""

from dataclasses import replace

import numpy as np
from dreamactor_core.surfaces import BODY_SURFACES, SURFACE_TERMS
from dreamactor_model.evaluation.baselines import CopyReference, Warp
from dreamactor_model.evaluation.suites.scenes import Scene
from dreamactor_signals.warp import ReferenceWarp
from swaying_person import SIDE, person_track


def scene() -> Scene:
    track = person_track(5)
    frames = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3)).astype(np.uint8)
    return Scene("staged", frames[:2], track[:1], track, np.zeros((1, 1)), frames, True, np.arange(5))


def test_a_copy_stands_still() -> None:
    staged = scene()
    np.testing.assert_array_equal(CopyReference().animate(staged), np.repeat(staged.references_RHWC[:1], 5, axis=0))


def test_a_warp_moves_the_first_reference_by_the_driving_joints() -> None:
    """And by nothing else: neither cameras nor faces nor clothes move it, and no network is asked what a person is."""
    staged = scene()
    track = staged.performer
    made = Warp().animate(staged)
    still = replace(track, face_units=None)
    wanted = ReferenceWarp(staged.references_RHWC[0], still[:1], learned=False).frames(still)
    np.testing.assert_array_equal(made, wanted)
    assert track.face_units is not None
    grimacing = replace(track, face_units=1 - track.face_units)
    np.testing.assert_array_equal(Warp().animate(replace(staged, performer=grimacing)), made)
    assert (made[0] == staged.references_RHWC[0]).all(), "nobody moved yet"
    assert (made[1] != staged.references_RHWC[0]).any()
    pan = np.repeat(np.eye(2, 3)[None], 5, axis=0)
    pan[:, 0, 2] = np.linspace(0, 0.2, 5)
    np.testing.assert_array_equal(Warp().animate(replace(staged, performer=replace(track, scenery_motion=pan))), made)
    slid = np.full((5, len(BODY_SURFACES), 2, SURFACE_TERMS), 0.1)
    np.testing.assert_array_equal(Warp().animate(replace(staged, performer=replace(track, surface_motion=slid))), made)
    held = replace(staged, performer=staged.reference[[0] * 5])
    np.testing.assert_array_equal(Warp().animate(held), CopyReference().animate(held))
