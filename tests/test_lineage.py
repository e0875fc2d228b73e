"""DVC behind its module, in small workspaces of its own."""

from pathlib import Path

import pytest
from dreamactor_core.errors import LineageError
from dreamactor_core.lineage import TransientLineageError, data_versions, output_hashes, reproduce

from tests.small_lineage import new_workspace, write_stages


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return new_workspace(tmp_path)


def test_reproduce_runs_what_is_out_of_date_and_nothing_else(workspace: Path) -> None:
    said: list[str] = []
    assert reproduce(["signals"], root=workspace, report=said.append) == ["clips", "signals"]
    assert reproduce(["signals"], root=workspace, report=said.append) == []
    assert "stage signals runs" in said
    assert len(list((workspace / "runs" / "logs").glob("*.log"))) == 2


def test_versions_are_the_hashes_of_dvc_lock(workspace: Path) -> None:
    assert data_versions(workspace) == {}
    reproduce(root=workspace, report=lambda _: None)
    versions = data_versions(workspace)
    assert versions == {
        "data_version": output_hashes(workspace)["data/shards"],
        "signals_version": output_hashes(workspace)["data/signals"],
    }
    assert all(len(version.removesuffix(".dir")) == 32 for version in versions.values())


def test_a_failed_stage_names_its_status_reason_and_log(workspace: Path) -> None:
    write_stages(workspace, "echo 'error: clip 7 is empty' && exit 2")
    with pytest.raises(LineageError, match="status 2: clip 7 is empty") as caught:
        reproduce(["signals"], root=workspace, report=lambda _: None)
    assert not isinstance(caught.value, TransientLineageError)
    assert caught.value.path is not None
    assert "clip 7" in (workspace / caught.value.path).read_text()


@pytest.mark.parametrize(("signal_name", "transient"), [("TERM", True), ("KILL", False)])
def test_only_an_interruption_is_worth_another_try(workspace: Path, signal_name: str, transient: bool) -> None:
    write_stages(workspace, f"sh -c 'kill -{signal_name} $$'")
    with pytest.raises(LineageError) as caught:
        reproduce(["signals"], root=workspace, report=lambda _: None)
    assert isinstance(caught.value, TransientLineageError) is transient
