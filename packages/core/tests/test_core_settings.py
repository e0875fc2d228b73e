import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml
from dreamactor_core.errors import SettingsError
from dreamactor_core.options import with_settings
from dreamactor_core.settings import Settings, load_settings
from typer.testing import CliRunner


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DREAMACTOR_PARAMS", raising=False)


def test_order_is_file_then_environment_then_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("params.yaml").write_text("sampling: {steps: 5, shift: 2.0, seed: 1}\n")
    monkeypatch.setenv("DREAMACTOR_SAMPLING__STEPS", "6")
    monkeypatch.setenv("DREAMACTOR_SAMPLING__SEED", "7")
    settings = load_settings({"sampling.seed": 8})
    assert (settings.sampling.shift, settings.sampling.steps, settings.sampling.seed) == (2.0, 6, 8)


def test_without_a_file_the_built_in_values_hold() -> None:
    assert load_settings().sampling.guidance_motion is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sampling: {stepz: 5}", "unknown key sampling.stepz.*mean sampling.steps"),
        ("samplin: {steps: 5}", "unknown key samplin.*mean sampling"),
        ("dataset: {synthetic: {peeple: 1}}", "dataset.synthetic.peeple"),
        ("sampling: {steps: 0}", "sampling.steps = 0"),
        ("sampling: [", "not valid YAML"),
        ("- a", "mapping"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(text: str, message: str) -> None:
    Path("params.yaml").write_text(text)
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings()
    assert "params.yaml" in caught.value.line()


def test_unknown_environment_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREAMACTOR_SAMPLING__STEPZ", "6")
    with pytest.raises(SettingsError, match="DREAMACTOR_SAMPLING__STEPZ"):
        load_settings()


def test_named_file_that_is_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREAMACTOR_PARAMS", "nowhere.yaml")
    with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
        load_settings()


def _app() -> typer.Typer:
    app = typer.Typer()

    @app.command()
    @with_settings("sampling.steps", "sampling.max_frames", "model.preset", "dataset.synthetic.size=image-size")
    def command(name: str, settings: Settings) -> None:
        typer.echo(
            f"{name} {settings.sampling.steps} {settings.sampling.max_frames} {settings.model.preset} "
            f"{settings.dataset.synthetic.size} {settings.tracking.uri}"
        )

    return app


def test_options_come_from_the_schema() -> None:
    words = [
        "x",
        "--steps",
        "3",
        "--max-frames",
        "9",
        "--preset",
        "wan-5b",
        "--image-size",
        "128",
        "--set",
        "tracking.uri=u",
    ]
    result = CliRunner().invoke(_app(), words)
    assert result.output == "x 3 9 wan-5b 128 u\n"


def test_options_not_given_leave_the_file_in_charge() -> None:
    Path("params.yaml").write_text("sampling: {steps: 11}\n")
    assert CliRunner().invoke(_app(), ["x"]).output.startswith("x 11 None tiny")


def test_option_outside_its_range_is_refused() -> None:
    result = CliRunner().invoke(_app(), ["x", "--steps", "0"])
    assert isinstance(result.exception, SettingsError)


def test_command_line_reports_a_user_error_in_one_line() -> None:
    Path("params.yaml").write_text("sampling: {stepz: 5}\n")
    done = subprocess.run(
        [sys.executable, "-m", "dreamactor_core.cli", "settings", "show"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "stepz" in done.stderr


def test_every_setting_can_be_shown() -> None:
    """Paths among them, too."""
    shown = subprocess.run(
        [sys.executable, "-m", "dreamactor_core.cli", "settings", "show"], capture_output=True, text=True, check=True
    )
    assert yaml.safe_load(shown.stdout) == load_settings().model_dump(mode="json")
