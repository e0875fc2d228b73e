"""Foreign files are data: what is more than data is refused before anything runs."""

import os
import pickle
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_signals.foreign import read_foreign
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csc_matrix


def _write(path: Path, value: Any, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


@given(
    array=hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int32, np.uint8]),
        hnp.array_shapes(max_dims=4, max_side=4),
        elements=st.integers(0, 100),
    ),
    protocol=st.integers(0, pickle.HIGHEST_PROTOCOL),
)
def test_plain_arrays_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, protocol: int
) -> None:
    path = tmp_path_factory.mktemp("pickles") / "result.pkl"
    values = read_foreign(_write(path, OrderedDict(x=array, nested=[{"y": array[0]}]), protocol))
    np.testing.assert_array_equal(values["x"], array)
    np.testing.assert_array_equal(values["nested"][0]["y"], array[0])
    assert values["x"].dtype == array.dtype


def test_sparse_matrices_and_numbers_are_data(tmp_path: Path) -> None:
    values = read_foreign(_write(tmp_path / "m.pkl", {"J": csc_matrix(np.eye(3)), "n": np.float32(2.5), "b": b"x"}))
    np.testing.assert_array_equal(values["J"].toarray(), np.eye(3))
    assert values["n"] == 2.5
    assert values["b"] == b"x"


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("xz", 3)])
def test_arrays_that_joblib_writes_beside_the_pickle_are_read(tmp_path: Path, compress: Any) -> None:
    path = tmp_path / "tracks.pkl"
    original = {"frame": {"smpl": [{"body_pose": np.random.default_rng(0).normal(size=(23, 3, 3))}], "tid": [3]}}
    joblib.dump(original, path, compress=compress)
    read = read_foreign(path)
    np.testing.assert_array_equal(read["frame"]["smpl"][0]["body_pose"], original["frame"]["smpl"][0]["body_pose"])
    assert read["frame"]["tid"] == [3]


class _Runs:
    """A pickle that runs a command when it is loaded."""

    def __init__(self, witness: Path) -> None:
        self._witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._witness}",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_runs_a_command_is_refused(tmp_path: Path, protocol: int) -> None:
    witness = tmp_path / "ran"
    path = _write(tmp_path / "evil.pkl", {"global_orient": _Runs(witness)}, protocol)
    with pytest.raises(InputError, match="refused: it asks for"):
        read_foreign(path)
    assert not witness.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy.testing._private.utils\nrunstring\n(S'1'\n}tR.",
        # Changes a class that is on the list.
        b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n(N}S'order'\nI1\nstb.",
        b"Pelsewhere\n.",
    ],
)
def test_other_ways_out_are_shut(tmp_path: Path, program: bytes) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(program)
    with pytest.raises(InputError, match="refused"):
        read_foreign(path)


def test_an_npz_with_a_pickled_object_is_refused(tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    path = tmp_path / "evil.npz"
    np.savez(path, x=np.array([_Runs(witness)], dtype=object))
    witness.unlink(missing_ok=True)
    with pytest.raises(InputError, match="pickled object"):
        read_foreign(path)
    assert not witness.exists()


@given(data=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_a_typed_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / "noise.pkl"
    path.write_bytes(data)
    # Some noise is a valid pickle of something; an error of any other kind would fail the test.
    found: object = {}
    with suppress(InputError):
        found = read_foreign(path)
    assert isinstance(found, dict)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_file_is_a_typed_error(tmp_path: Path, share: float) -> None:
    whole = pickle.dumps({"x": np.arange(1000.0)})
    path = tmp_path / "cut.pkl"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match="not a whole"):
        read_foreign(path)


def test_a_list_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not named values"):
        read_foreign(_write(tmp_path / "list.pkl", [1, 2]))
