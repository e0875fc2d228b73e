"""Many videos by one model: the table is checked whole, good jobs are done whatever the bad ones are, none twice."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.image import write_image
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.provenance.verification import verify_video
from dreamactor_core.settings import load_settings
from dreamactor_model.animate import Animator
from dreamactor_model.batch.batch import Batch, Outcome
from dreamactor_model.batch.jobs import JobTable, read_jobs
from dreamactor_model.batch.report import write_report
from staged_person import loaded_model, staged_animator, write_shades
from swaying_person import SIDE, person_track

HEADER = "reference,driving,consent,output,seed,steps,max_frames\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two references, a driving video, a text that says it is one."""
    for name, shade in (("me", 80), ("back", 120)):
        write_image(tmp_path / f"{name}.png", np.full((SIDE, SIDE, 3), shade, np.uint8))
    write_shades(tmp_path / "dance.mp4", range(5))
    (tmp_path / "text.mp4").write_text("not a video")
    return tmp_path


@pytest.fixture
def animator() -> Animator:
    settings = load_settings({"sampling.steps": 1, "sampling.segment_frames": 5})
    return staged_animator(_seen, _seen, settings, loaded_model())


def _seen(frames: list[np.ndarray]) -> MotionTrack:
    return person_track(len(frames))


def write_table(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "jobs.csv"
    path.write_text(header + "".join(f"{line}\n" for line in lines))
    return path


def run(animator: Animator, table: JobTable) -> list[Outcome]:
    batch = Batch(animator, "models:/m/1", table.path.parent)
    return [batch.run(row) for row in table.rows]


def test_paths_are_relative_to_the_table_and_options_may_be_left_out(folder: Path) -> None:
    first, second = read_jobs(
        write_table(folder, "me.png; back.png,dance.mp4,hers,out/a.mp4,7,4,20", f"me.png,{folder}/dance.mp4,hers,,,,")
    ).rows
    assert first.job is not None
    assert second.job is not None
    assert first.job.references == (folder / "me.png", folder / "back.png")
    assert (first.job.driving, first.job.output) == (folder / "dance.mp4", folder / "out/a.mp4")
    assert (first.job.seed, first.job.steps, first.job.max_frames) == (7, 4, 20)
    assert (second.job.output, second.job.seed, second.job.steps) == (None, None, None)


def test_every_kind_of_table_says_the_same(folder: Path) -> None:
    job = {"reference": "me.png", "driving": "dance.mp4", "consent": "hers", "steps": 2}
    written = write_table(folder, "me.png,dance.mp4,hers,,,2,")
    lines = folder / "jobs.jsonl"
    lines.write_text(json.dumps({**job, "reference": ["me.png"]}) + "\n")
    columns = folder / "jobs.parquet"
    pq.write_table(pa.Table.from_pylist([{**job, "seed": None}]), columns)
    expected = read_jobs(written).rows
    assert expected[0].job is not None
    assert read_jobs(lines).rows == expected
    assert read_jobs(columns).rows == expected


def test_a_table_with_a_header_only_has_no_jobs(folder: Path) -> None:
    assert read_jobs(write_table(folder)).rows == ()


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("me.png,dance.mp4,hers,a.mp4,minus,,", "column seed"),
        ("me.png,dance.mp4,hers,a.mp4,,0,", "column steps"),
        ("me.png,dance.mp4,,a.mp4,,,", "column consent"),
        (",dance.mp4,hers,a.mp4,,,", "column reference"),
        ("me.png,,hers,a.mp4,,,", "no performance"),
        ("you.png,dance.mp4,hers,a.mp4,,,", "you.png"),
        ("dance.mp4,dance.mp4,hers,a.mp4,,,", "dance.mp4"),
        ("me.png,text.mp4,hers,a.mp4,,,", "text.mp4"),
        ("me.png,dance.mp4,hers,a.avi,,,", "a.avi"),
        ("back.png,dance.mp4,hers,first.mp4,,,", "row 1 writes the same output"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason_and_stops_no_other(folder: Path, line: str, named: str) -> None:
    good, bad, last = read_jobs(
        write_table(folder, "me.png,dance.mp4,hers,first.mp4,,,", line, "me.png,dance.mp4,hers,last.mp4,,,")
    ).rows
    assert good.job is not None
    assert last.job is not None
    assert bad.job is None
    assert named in bad.reason


@pytest.mark.parametrize(
    ("lines", "header", "named"),
    [
        (["me.png,dance.mp4"], "reference,driving\n", "column consent is missing"),
        (["me.png,dance.mp4,hers,fast"], "reference,driving,consent,speed\n", "unknown column speed"),
    ],
)
def test_a_table_of_wrong_columns_is_refused_whole(folder: Path, lines: list[str], header: str, named: str) -> None:
    with pytest.raises(InputError, match=named):
        read_jobs(write_table(folder, *lines, header=header))


@pytest.mark.parametrize(("name", "content"), [("none.csv", None), ("jobs.txt", "a"), ("jobs.jsonl", "[1]\n")])
def test_what_is_no_table_is_refused(folder: Path, name: str, content: str | None) -> None:
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(InputError, match=name):
        read_jobs(folder / name)


def test_good_jobs_are_done_and_the_next_run_does_only_the_rest(folder: Path, animator: Animator) -> None:
    table = read_jobs(
        write_table(
            folder, "me.png,dance.mp4,hers,a.mp4,,,", "no.png,dance.mp4,hers,b.mp4,,,", "back.png,dance.mp4,his,,,,"
        )
    )
    first, bad, unnamed = run(animator, table)
    assert (first.status, bad.status, unnamed.status) == ("done", "refused", "done")
    assert "no.png" in bad.reason
    assert not (folder / "b.mp4").exists()
    assert verify_video(Path(unnamed.output)).record["consent"] == "his"

    (folder / "a.mp4").unlink()
    assert [outcome.status for outcome in run(animator, table)] == ["done", "refused", "kept"]


def test_what_was_changed_or_asked_for_otherwise_is_made_again(folder: Path, animator: Animator) -> None:
    table = read_jobs(write_table(folder, "me.png,dance.mp4,hers,a.mp4,,,"))
    run(animator, table)
    assert run(animator, table)[0].status == "kept"
    video = folder / "a.mp4"
    video.write_bytes(video.read_bytes()[:-9])
    assert run(animator, table)[0].status == "done"
    other = read_jobs(write_table(folder, "me.png,dance.mp4,hers,a.mp4,5,,"))
    assert run(animator, other)[0].status == "done"


def test_equal_inputs_have_one_address_whatever_they_are_called(folder: Path, animator: Animator) -> None:
    (folder / "copy.png").write_bytes((folder / "me.png").read_bytes())
    rows = [f"{name},dance.mp4,hers,,,," for name in ("me.png", "copy.png", "back.png")]
    first, second, other = run(animator, read_jobs(write_table(folder, *rows)))
    assert (first.status, second.status, other.status) == ("done", "kept", "done")
    assert first.output == second.output != other.output


def test_a_job_that_breaks_the_program_stops_no_other(
    folder: Path, animator: Animator, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = read_jobs(write_table(folder, "me.png,dance.mp4,hers,a.mp4,,,", "back.png,dance.mp4,hers,b.mp4,,,"))
    whole = animator.animate

    def animate(request: object) -> object:
        if "me.png" in str(request):
            raise ZeroDivisionError("by nothing")
        return whole(request)  # type: ignore[arg-type]

    monkeypatch.setattr(animator, "animate", animate)
    broken, good = run(animator, table)
    assert (broken.status, broken.reason) == ("failed", "ZeroDivisionError: by nothing")
    assert good.status == "done"


def test_the_report_says_what_became_of_each_row(folder: Path, animator: Animator) -> None:
    table = read_jobs(write_table(folder, "me.png,dance.mp4,hers,a.mp4,,,", "<b>.png,dance.mp4,hers,b.mp4,,,"))
    page = write_report(folder / "report", "Night", run(animator, table)).read_text()
    good, bad = csv.DictReader((folder / "report" / "outcomes.csv").read_text().splitlines())
    assert (good["row"], good["status"], good["model"]) == ("1", "done", "models:/m/1")
    assert bad["status"] == "refused"
    assert "<b>.png" in bad["reason"]
    assert "&lt;b&gt;.png" in page
    assert "<b>.png" not in page
    assert page.count("data:image/jpeg") == 1
