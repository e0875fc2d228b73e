"""The wiring of the flows, without a server."""

import sys
from pathlib import Path

import pytest
import yaml
from dreamactor_core.errors import InputError, LineageError, SettingsError
from dreamactor_core.lineage import TransientLineageError
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.operations import OperationsSettings
from prefect.client.schemas import TaskRun
from prefect.states import Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.reproduction import reproduce_stage
from flows.retries import interrupted
from flows.tables import markdown_table
from flows.task_runners import task_runner
from flows.train_stages import STAGES, train_stages
from flows.version_dataset import push_version


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (TransientLineageError("another process works on the same files"), True),
        (LineageError("dreamactor model train failed with status 2: the loss is not a number"), False),
        (InputError("no such file"), False),
        (MemoryError(), False),
    ],
)
def test_only_what_another_try_may_mend_is_retried(error: Exception, again: bool) -> None:
    task_run = TaskRun.model_construct()
    assert interrupted(reproduce_stage, task_run, Failed(data=error)) is again


def test_tasks_that_are_retried_ask_for_the_cause() -> None:
    for task in (reproduce_stage, push_version):
        assert task.retries == 2
        assert task.retry_condition_fn is interrupted


def test_videos_are_tracked_on_threads_unless_a_cluster_is_named() -> None:
    from prefect_dask import DaskTaskRunner

    assert isinstance(task_runner(OperationsSettings()), ThreadPoolTaskRunner)
    runner = task_runner(OperationsSettings(cluster="tcp://10.0.0.1:8786"))
    assert isinstance(runner, DaskTaskRunner)
    assert runner.address == "tcp://10.0.0.1:8786"


def test_a_cluster_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prefect_ray", None)
    with pytest.raises(SettingsError, match=r"prefect-ray is not installed.*\.\[ray\]"):
        task_runner(OperationsSettings(cluster="ray://head:10001"))
    with pytest.raises(SettingsError, match="operations.cluster"):
        load_settings({"operations.cluster": "10.0.0.1:8786"})


@pytest.mark.parametrize("stages", [[], ["0"], ["1", "sound"]])
def test_unknown_stages_are_refused_before_anything_runs(stages: list[str]) -> None:
    with pytest.raises(ValueError, match="choose from"):
        train_stages.fn(stages=stages)


def test_the_flow_trains_what_dvc_trains() -> None:
    known = yaml.safe_load((Path(__file__).parents[1] / "dvc.yaml").read_text())["stages"]
    expanded = {f"{name}@{key}" for name, stage in known.items() for key in stage.get("foreach", ())} | set(known)
    assert {stage for stage in expanded if stage.startswith("train") and stage != "train"} == set(STAGES.values())


def test_tables_keep_their_shape_whatever_the_cells_hold() -> None:
    lines = markdown_table([{"a": 1.23456, "b": "x|y\nz"}, {"a": 2, "b": None}]).splitlines()
    assert lines == ["| a | b |", "| --- | --- |", "| 1.235 | x\\|y z |", "| 2 | None |"]


def test_an_empty_table_says_so() -> None:
    assert markdown_table([]) == "Nothing to show."
