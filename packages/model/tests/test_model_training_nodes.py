"""Where ranks run: this machine, a hostfile's, or those a cluster's environment names."""

import subprocess
import sys
from pathlib import Path

import pytest
from dreamactor_core.errors import InputError, TrainingError
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.training import TrainingSettings
from dreamactor_model.training.run.nodes import find_nodes


def _training(**changes: object) -> TrainingSettings:
    changes = {"micro_batches": 16, "processes": 8} | changes
    return load_settings({f"training.{name}": value for name, value in changes.items()}).training


def test_one_machine_needs_nothing() -> None:
    nodes = find_nodes(_training(), {})
    assert (nodes.world, nodes.number, nodes.others) == (8, 0, ())
    command = nodes.local_command(Path("spec.json"), Path("logs"))
    assert {"--standalone", "--nproc-per-node=8"} <= set(command)


def test_slurm_names_the_nodes() -> None:
    environment = {"SLURM_NNODES": "2", "SLURM_NODEID": "1", "SLURM_JOB_NODELIST": "gpu[03-04,9],cpu1"}
    nodes = find_nodes(_training(), environment)
    assert (nodes.world, nodes.number, nodes.master) == (16, 1, "gpu03")
    command = nodes.local_command(Path("spec.json"), Path("logs"))
    assert {"--nnodes=2", "--node-rank=1", "--master-addr=gpu03"} <= set(command)
    assert find_nodes(_training(), environment | {"SLURM_JOB_NODELIST": "login,gpu7"}).master == "login"


def test_kubernetes_names_the_nodes() -> None:
    environment = {"PET_NNODES": "2", "PET_NODE_RANK": "1", "MASTER_ADDR": "job-master-0", "MASTER_PORT": "23456"}
    nodes = find_nodes(_training(), environment)
    assert (nodes.world, nodes.number, nodes.master, nodes.port) == (16, 1, "job-master-0", 23456)


def test_ranks_must_share_the_micro_batches_equally() -> None:
    with pytest.raises(TrainingError, match="16 micro-batches a step cannot be shared equally by 24 ranks"):
        find_nodes(_training(), {"PET_NNODES": "3", "MASTER_ADDR": "here"})


@pytest.mark.parametrize("text", ["", "gpu1\n", "gpu1 slots=4\ngpu2 slots=8\n", "gpu1 slots=0\n"])
def test_a_hostfile_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    hostfile = tmp_path / "hosts"
    hostfile.write_text(text)
    with pytest.raises((TrainingError, InputError)):
        find_nodes(_training(hostfile=str(hostfile)), {})


def test_a_hostfile_starts_the_others_by_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostfile, folder = tmp_path / "hosts", tmp_path / "work here"
    hostfile.write_text("# two machines\ngpu1 slots=4\ngpu2 slots=4  # the second\n")
    folder.mkdir()
    monkeypatch.chdir(folder)
    nodes = find_nodes(_training(hostfile=str(hostfile)), {})
    assert (nodes.world, nodes.number, nodes.master, nodes.others) == (8, 0, "gpu1", ("gpu2",))
    # In place of Python there: what shows where it is, its variable and its arguments.
    there = tmp_path / "show"
    there.write_text('#!/bin/sh\necho "$PWD|$OMP_NUM_THREADS"; printf "%s|" "$@"\n')
    there.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(there))
    commands = nodes.remote_commands(Path("a b.json"), Path("logs"), {"OMP_NUM_THREADS": "3"})
    assert list(commands) == ["gpu2"]
    ssh, *options, host, line = commands["gpu2"]
    assert (ssh, options, host) == ("ssh", ["-tt", "-o", "BatchMode=yes"], "gpu2")
    shown = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True, cwd="/").stdout
    assert shown.startswith(f"{folder}|3\n-m|dreamactor_core.supervisor|{there}|-m|torch.distributed.run|")
    assert {"--node-rank=1", "--master-addr=gpu1", "a b.json"} <= set(shown.split("|"))
