"""Clips that are only numbers, as many as one likes."""

import numpy as np
import pyarrow
import pyarrow.compute
from dreamactor_core.manifest import manifest_schema
from dreamactor_dataset.clip_table import ClipTable

_SIZES = ((1280, 720), (720, 1280), (1080, 1080), (1440, 1080), (1080, 1440))
_BUCKETS = ((1040, 592), (592, 1040), (784, 784), (912, 672), (672, 912))
_LONGEST = 600
_FRAMINGS = ("half", "full")
_CATEGORIES = ("speech", "dance", "sport", "film")


def simulated_table(clips: int, *, shortest: int, full_share: float = 0.1) -> ClipTable:
    """Clips of several frame sizes; the second stratum shows whole bodies, both weigh 1."""
    rng = np.random.default_rng(0)
    strata = (rng.random(clips) < full_share).astype(np.uint16)
    lengths = rng.integers(shortest, _LONGEST, clips).astype(np.int32)
    return ClipTable(
        lengths=lengths,
        buckets=rng.integers(len(_BUCKETS), size=clips).astype(np.uint16),
        bucket_sizes=np.array(_BUCKETS),
        yaw_frames=(rng.random((clips, 3)) * lengths[:, None]).astype(np.int32),
        full_body=strata == 1,
        has_track=np.ones(clips, bool),
        has_truth=np.zeros(clips, bool),
        strata=strata,
        stratum_weights=np.ones(2),
    )


def simulated_manifest(clips: int, *, full_share: float = 0.1) -> pyarrow.Table:
    """A manifest of kept clips, in the order of their ids: twenty clips a person, four a source video."""
    rng = np.random.default_rng(0)
    numbers = np.arange(clips)
    ids = pyarrow.array([f"clip-{number:08}" for number in numbers])
    people = pyarrow.array([f"person-{number // 20:07}" for number in numbers])
    sizes = np.array(_SIZES, np.int64)[rng.integers(len(_SIZES), size=clips)]
    columns = {
        "clip_id": ids,
        "video": pyarrow.compute.binary_join_element_wise(ids, ".mp4", ""),
        "sha256": pyarrow.array([f"{number:064x}" for number in numbers]),
        "width": sizes[:, 0],
        "height": sizes[:, 1],
        # Nine seconds on average: 200,000 clips are 500 hours.
        "frame_count": rng.integers(25, 425, clips),
        "fps_num": np.full(clips, 25),
        "fps_den": np.full(clips, 1),
        "source_video": pyarrow.array([f"video-{number // 4:07}" for number in numbers]),
        "identity": people,
        "group": people,
        # Every hundredth clip looks like the one before, which may be of another person.
        "perceptual_group": pyarrow.array([f"look-{number - (number % 100 == 0):08}" for number in numbers]),
        "framing": _chosen(_FRAMINGS, (rng.random(clips) < full_share).astype(int)),
        "category": _chosen(_CATEGORIES, rng.integers(len(_CATEGORIES), size=clips)),
    }
    constant: dict[str, object] = {
        "source": "simulated", "licence": "CC0-1.0", "consent": "given", "split": "train", "synthetic": True,
        "track": "tracks/track.safetensors", "truth_track": None, "status": "kept", "reason": None, "start_s": 0.0,
    }  # fmt: skip
    schema = manifest_schema()
    arrays = [
        pyarrow.array(columns[field.name], field.type)
        if field.name in columns
        else pyarrow.repeat(pyarrow.scalar(constant[field.name], field.type), clips)
        for field in schema
    ]
    return pyarrow.Table.from_arrays(arrays, schema=schema)


def _chosen(names: tuple[str, ...], which: np.ndarray) -> pyarrow.Array:
    return pyarrow.array(np.array(names)[which])
