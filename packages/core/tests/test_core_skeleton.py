import numpy as np
from dreamactor_core import skeleton


def test_parents_stand_before_their_children() -> None:
    assert all(skeleton.PARENTS[j] < j for j in range(skeleton.JOINT_COUNT))
    assert (skeleton.PARENTS == -1).sum() == 1


def test_bone_i_ends_at_joint_i_plus_1() -> None:
    assert np.array_equal(skeleton.BONES[:, 1], np.arange(1, skeleton.JOINT_COUNT))
    assert np.array_equal(skeleton.BONES[:, 0], skeleton.PARENTS[1:])


def test_mirror_is_its_own_inverse_and_keeps_the_tree() -> None:
    mirror = skeleton.MIRROR
    assert np.array_equal(mirror[mirror], np.arange(skeleton.JOINT_COUNT))
    for joint in range(1, skeleton.JOINT_COUNT):
        assert skeleton.PARENTS[mirror[joint]] == mirror[skeleton.PARENTS[joint]]


def test_groups_cover_the_table_and_hands_hang_on_wrists() -> None:
    names = skeleton.JOINT_NAMES
    assert all(name.startswith("left_") for name in names[skeleton.LEFT_HAND_JOINTS])
    assert all(name.startswith("right_") for name in names[skeleton.RIGHT_HAND_JOINTS])
    assert skeleton.RIGHT_HAND_JOINTS.stop == skeleton.JOINT_COUNT
    for side in ("left", "right"):
        knuckle = skeleton.joint_index(f"{side}_index_1")
        assert names[skeleton.PARENTS[knuckle]] == f"{side}_wrist"


def test_neighbouring_body_bones_differ_in_colour() -> None:
    colours = skeleton.BONE_COLOURS.astype(int)
    assert len(np.unique(colours[:17], axis=0)) == 17
    for bone, (parent, _) in enumerate(skeleton.BONES):
        if parent > 0:
            assert np.abs(colours[bone] - colours[parent - 1]).sum() > 0
