"""Body models: one T pose, joints linear in shape, a mesh that follows the bones."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.errors import InputError, SettingsError, WeightsError
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.skeleton import JOINT_NAMES, joint_index
from dreamactor_signals.body_models import BodyModel
from dreamactor_signals.body_models.anny import SHAPE_NAMES, AnnyBody
from dreamactor_signals.body_models.bones import BONE_COUNT, BONE_NAMES, BONE_PARENTS, bone_index
from dreamactor_signals.body_models.choose import make_body
from dreamactor_signals.body_models.smplx import SmplxBody, _joint_names, _smplx_joint, _vertex
from dreamactor_signals.body_models.smplx_file import JOINTS, VERTICES, convert_smplx
from dreamactor_signals.commands import app
from dreamactor_signals.fit.kinematics import Kinematics
from scipy.sparse import csc_matrix
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

torch = pytest.importorskip("torch")


def smplx_arrays() -> dict[str, np.ndarray]:
    """A model of SMPL-X's layout: anny's skeleton, each joint a small cloud of vertices that it carries."""
    art = AnnyBody().articulation
    random = np.random.default_rng(0)
    starts_m = np.tile(art.starts_mean_m[bone_index("head")], (JOINTS, 1))
    for bone in BONE_NAMES:
        starts_m[_smplx_joint(bone)] = art.starts_mean_m[bone_index(bone)]
    starts_m[_joint_names().index("left_eye_smplhf")] += (0.03, 0.02, 0.1)
    owner = np.arange(VERTICES) % JOINTS
    template_m = starts_m[owner]
    # Around the head: a sphere, so that there is a cranium.
    on_head = owner == _joint_names().index("head")
    direction = random.normal(size=(int(on_head.sum()), 3))
    template_m[on_head] += 0.09 * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    regressor = np.zeros((JOINTS, VERTICES))
    for joint in range(JOINTS):
        mine = owner == joint
        regressor[joint, mine] = 1 / mine.sum()
    template_m += (starts_m - regressor @ template_m)[owner]
    for side in ("left", "right"):
        for name, joint in (("Heel", "heel"), ("BigToe", "toe")):
            template_m[_vertex(side[0].upper() + name)] = art.joints_mean_m[joint_index(f"{side}_{joint}")]
        for finger in ("thumb", "index", "middle", "ring", "pinky"):
            template_m[_vertex(side[0] + finger)] = art.joints_mean_m[joint_index(f"{side}_{finger}_4")]
    weights = np.zeros((VERTICES, JOINTS))
    weights[np.arange(VERTICES), owner] = 1
    parents = np.zeros(JOINTS, dtype=np.uint32)
    for bone, parent in zip(BONE_NAMES, BONE_PARENTS, strict=True):
        parents[_smplx_joint(bone)] = 2**32 - 1 if parent < 0 else _smplx_joint(BONE_NAMES[parent])
    for name in ("jaw", "left_eye_smplhf", "right_eye_smplhf"):
        parents[_joint_names().index(name)] = _joint_names().index("head")
    shapes = np.zeros((VERTICES, 3, 400))
    shapes[:, :, 0] = 0.05 * template_m
    return {
        "v_template": template_m,
        "shapedirs": shapes,
        "posedirs": np.zeros((VERTICES, 3, (JOINTS - 1) * 9)),
        "J_regressor": regressor,
        "weights": weights,
        "f": random.integers(0, VERTICES, (100, 3)).astype(np.uint32),
        "kintree_table": np.stack([parents, np.arange(JOINTS, dtype=np.uint32)]),
        "hands_componentsl": np.zeros((45, 45)),
    }


@pytest.fixture(scope="module")
def smplx_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("smplx")
    np.savez(folder / "SMPLX_NEUTRAL.npz", **smplx_arrays())
    convert_smplx(folder / "SMPLX_NEUTRAL.npz", folder / "smplx.safetensors")
    return folder / "smplx.safetensors"


@pytest.fixture(params=["anny", "smplx"])
def body(request: pytest.FixtureRequest, smplx_file: Path) -> BodyModel:
    return AnnyBody() if request.param == "anny" else SmplxBody(smplx_file)


def test_the_t_pose(body: BodyModel) -> None:
    joints_m = body.articulation.joints_mean_m
    for side, sign in (("left", 1), ("right", -1)):
        shoulder, elbow, wrist, tip, hip, knee, ankle, toe, heel = (
            joints_m[joint_index(f"{side}_{name}")]
            for name in ("shoulder", "elbow", "wrist", "middle_4", "hip", "knee", "ankle", "toe", "heel")
        )
        assert sign * (elbow - shoulder)[0] > 0.15
        assert sign * (wrist - elbow)[0] > 0.15
        assert sign * (tip - wrist)[0] > 0.1
        np.testing.assert_allclose(wrist[1:], elbow[1:], atol=0.01)
        assert (hip - knee)[1] > 0.3
        assert (knee - ankle)[1] > 0.3
        assert (toe - heel)[2] > 0.15
    center_m, radius_m = body.articulation.skull_mean_m[:3], body.articulation.skull_mean_m[3]
    assert 0.06 < radius_m < 0.12
    assert center_m[1] > joints_m[joint_index("left_shoulder"), 1] + 0.1


def test_joints_of_the_tree_and_of_the_mesh_agree(body: BodyModel) -> None:
    random = np.random.default_rng(1)
    local = Rotation.from_rotvec(0.3 * random.normal(size=(BONE_COUNT, 3))).as_matrix()
    shape = random.normal(size=body.articulation.shape_count) * 0.5
    kinematics = Kinematics(body.articulation, torch.device("cpu"))
    rotations, joints, _ = kinematics.pose(
        torch.tensor(shape, dtype=torch.float32),
        torch.tensor(local[None, 0], dtype=torch.float32),
        torch.tensor(local[None], dtype=torch.float32),
    )
    vertices_m = body.vertices_m(shape.astype(np.float32), rotations.numpy())
    assert vertices_m.shape[1:] == (vertices_m.shape[1], 3)
    assert np.isfinite(vertices_m).all()
    # Every joint lies in or on the body: near some vertex.
    distance_m = np.linalg.norm(vertices_m[0, :, None] - joints.numpy()[0, 2:], axis=-1).min(axis=0)
    worst = JOINT_NAMES[2 + int(distance_m.argmax())]
    assert distance_m.max() < 0.12, worst


def test_taller_people_are_taller() -> None:
    art = AnnyBody().articulation
    tall = art.joints_basis_m[SHAPE_NAMES.index("height")]
    assert (tall[joint_index("left_shoulder")] - tall[joint_index("left_ankle")])[1] > 0.03


def test_the_mesh_turns_with_its_root() -> None:
    body = AnnyBody()
    still = np.tile(np.eye(3), (1, BONE_COUNT, 1, 1))
    turn = Rotation.from_euler("xyz", (0.3, 1.0, -0.4)).as_matrix()
    shape = np.zeros(body.articulation.shape_count)
    np.testing.assert_allclose(body.vertices_m(shape, turn @ still), body.vertices_m(shape, still) @ turn.T, atol=1e-5)
    assert body.faces.max() < body.vertices_m(shape, still).shape[1]


def test_a_pickle_with_sparse_regressor_converts_alike(tmp_path: Path, smplx_file: Path) -> None:
    arrays = smplx_arrays()
    path = tmp_path / "SMPLX_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps(arrays | {"J_regressor": csc_matrix(arrays["J_regressor"])}, protocol=2))
    output = tmp_path / "out.safetensors"
    result = CliRunner().invoke(app, ["convert-smplx", str(path), "-o", str(output)])
    assert result.exit_code == 0, result.output
    ours, theirs = SmplxBody(output).articulation, SmplxBody(smplx_file).articulation
    np.testing.assert_array_equal(ours.joints_mean_m, theirs.joints_mean_m)


def test_wrong_files_are_typed_errors(tmp_path: Path, smplx_file: Path) -> None:
    other = tmp_path / "smpl.npz"
    np.savez(other, **(smplx_arrays() | {"v_template": np.zeros((6890, 3))}))
    with pytest.raises(InputError, match="not an SMPL-X model: 'v_template'"):
        convert_smplx(other, tmp_path / "no.safetensors")
    assert not (tmp_path / "no.safetensors").exists()
    with pytest.raises(WeightsError, match="convert-smplx"):
        SmplxBody(other)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(smplx_file.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="not a whole"):
        SmplxBody(cut)
    with pytest.raises(InputError, match="no such file"):
        SmplxBody(tmp_path / "missing.safetensors")


def test_settings_choose(smplx_file: Path) -> None:
    assert make_body(SignalsSettings(fit="none")) is None
    chosen = make_body(SignalsSettings(fit="anny"))
    assert chosen is not None
    assert chosen.name.startswith("anny")
    with pytest.raises(SettingsError, match="--smplx-file"):
        make_body(SignalsSettings(fit="smplx"))
    assert isinstance(make_body(SignalsSettings(fit="smplx", smplx_file=smplx_file)), SmplxBody)
