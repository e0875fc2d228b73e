"""Importing holds one tensor of the base and one shard of the result in memory, however large the base is."""

import subprocess
import sys
from pathlib import Path

import pytest
from wan_folders import LARGE, T2V, write_diffusers

SHARD_MB = 24


@pytest.mark.slow
def test_the_peak_stays_below_a_shard_of_each(tmp_path: Path) -> None:
    """Measured in a process of its own, as the growth of its peak over what its libraries and a small import need."""
    write_diffusers(tmp_path / "small", T2V)
    write_diffusers(tmp_path / "large", LARGE, shard_size=f"{SHARD_MB}MB")
    program = Path(__file__).with_name("import_in_child.py")
    child = [sys.executable, str(program), str(tmp_path), str(SHARD_MB * 1_000_000)]
    grown = int(subprocess.run(child, stdout=subprocess.PIPE, text=True, check=True).stdout)
    read = [path.stat().st_size for path in (tmp_path / "large" / "transformer").glob("*.safetensors")]
    written = [path.stat().st_size for path in (tmp_path / "large-out").glob("*.safetensors")]
    assert len(read) >= 4
    assert len(written) >= 6
    bound = 1.3 * (max(read) + max(written))
    assert bound < 0.7 * sum(read), "a copy of the base would pass"
    assert max(written) / 2 < grown < bound, f"{grown / 1e6:.0f} MB; allowed {bound / 1e6:.0f} MB"
