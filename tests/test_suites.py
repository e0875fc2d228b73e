"""Suites as DVC stages: one is part of `dvc repro`, the others are asked for by name."""

from typing import get_args

import pytest
import yaml
from dreamactor_core.settings.evaluation import SuiteName
from dreamactor_model.evaluation.suites.table import SUITES

from flows.evaluate import STAGES
from tests.workspace import REPOSITORY, Workspace

ASKED_FOR = yaml.safe_load((REPOSITORY / "suites/dvc.yaml").read_text())["stages"]
# Of as many clips as the small data set does not have: run by the command alone.
NO_STAGE = {"release"}


def test_every_suite_is_a_stage() -> None:
    assert {*STAGES, *ASKED_FOR["evaluate"]["matrix"]["suite"], *NO_STAGE} == set(get_args(SuiteName))


def test_the_commands_that_train_other_controls_exist() -> None:
    for variant in SUITES["controls"].variants:
        if variant.weights is not None:
            file, _, stage = variant.training.removeprefix("dvc repro ").partition(":")
            assert file == "suites/dvc.yaml"
            assert stage.removeprefix("train@") in ASKED_FOR["train"]["foreach"]


@pytest.mark.slow
def test_a_suite_is_reproduced_by_name(trained: Workspace) -> None:
    # The smoke data set holds out one clip, whatever its framing.
    done = trained.dvc("repro", "--single-item", "suites/dvc.yaml:evaluate@stages")
    assert done.status == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    text = (trained.root / "reports/evaluation/stages/report.md").read_text()
    assert "| stage1 |" in text
    assert "Running stage" not in trained.dvc("repro", "--single-item", "suites/dvc.yaml:evaluate@stages").stdout
