"""The job table of a batch."""

from pathlib import Path

import pytest
from dreamactor_core.errors import InputError

from flows.jobs import Outcome, read_jobs, write_report

HEADER = "reference,driving,output,seed,steps,max_frames\n"


def table(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "jobs.csv"
    path.write_text(header + "".join(f"{line}\n" for line in lines))
    return path


def test_paths_are_relative_to_the_table_and_options_may_be_left_out(tmp_path: Path) -> None:
    first, second = read_jobs(
        table(tmp_path, "me.png; back.png,dance.mp4,out/a.mp4,7,4,20", "me.png,/x/b.mp4,b.mp4,,,")
    )
    assert first.references == (tmp_path / "me.png", tmp_path / "back.png")
    assert (first.driving, first.output) == (tmp_path / "dance.mp4", tmp_path / "out/a.mp4")
    assert (first.seed, first.steps, first.max_frames) == (7, 4, 20)
    assert second.driving == Path("/x/b.mp4")
    assert (second.seed, second.steps, second.max_frames) == (None, None, None)


def test_a_table_with_a_header_only_has_no_jobs(tmp_path: Path) -> None:
    assert read_jobs(table(tmp_path)) == []


@pytest.mark.parametrize(
    ("lines", "header", "named"),
    [
        (["me.png,dance.mp4,a.mp4,minus,,"], HEADER, "line 2, column seed"),
        (["me.png,dance.mp4,a.mp4,,,", "me.png,dance.mp4,b.mp4,,0,"], HEADER, "line 3, column steps"),
        (["me.png,dance.mp4"], "reference,driving\n", "column output"),
        (["me.png,dance.mp4,a.mp4,fast"], "reference,driving,output,speed\n", "column speed"),
        (["me.png,dance.mp4,a.mp4,,,", "you.png,dance.mp4,a.mp4,,,"], HEADER, "more than one job writes"),
        ([",dance.mp4,a.mp4,,,"], HEADER, "column reference"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line_and_column(
    tmp_path: Path, lines: list[str], header: str, named: str
) -> None:
    with pytest.raises(InputError, match=named):
        read_jobs(table(tmp_path, *lines, header=header))


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such job table"):
        read_jobs(tmp_path / "none.csv")


def test_the_report_has_a_row_a_job(tmp_path: Path) -> None:
    outcomes = [
        Outcome(output="a.mp4", status="done", reason="", seconds=1.5, model="models:/m/1"),
        Outcome(
            output="b.mp4", status="failed", reason="me.png: no such file, really", seconds=0.1, model="models:/m/1"
        ),
    ]
    write_report(tmp_path / "deep" / "report.csv", outcomes)
    lines = (tmp_path / "deep" / "report.csv").read_text().splitlines()
    assert lines[0] == "output,status,reason,seconds,model"
    assert lines[2] == 'b.mp4,failed,"me.png: no such file, really",0.1,models:/m/1'
