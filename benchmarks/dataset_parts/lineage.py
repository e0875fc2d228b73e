"""`dvc repro` with nothing to do, over a stage whose output is 500 shards with their notes.

python -m benchmarks.dataset_parts.lineage
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_SHARDS, _SHARD_BYTES = 500, 1 << 18
_STAGES = """
stages:
  shards:
    cmd: touch never
    outs:
      - shards:
          persist: true
  train:
    cmd: touch trained
    deps: [shards]
    outs: [trained]
"""


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Wall seconds of the second `dvc repro`, start of the command included."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
            subprocess.run(command, cwd=folder, check=True)
        (folder / "dvc.yaml").write_text(_STAGES)
        (folder / "shards").mkdir()
        for number in range(_SHARDS):
            (folder / "shards" / f"train-{number:05}.tar").write_bytes(os.urandom(_SHARD_BYTES))
            (folder / "shards" / f"train-{number:05}.json").write_text(json.dumps({"number": number}))
        _repro(folder)
        seconds = [_repro(folder) for _ in range(max(1, round(3 * scale)))]
    return {"dvc_noop_500_shards_s": min(seconds)}


def _repro(folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "dvc", "repro", "-q"], cwd=folder, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure()) + "\n")
