"""The real launcher in a process of its own, training the face encoder on made-up faces.

`python launched_training.py FOLDER [KEY=VALUE ...]` is what the tests kill, stop and starve.
"""

import sys
from pathlib import Path

from dreamactor_core.settings import Settings, load_settings


def settings(folder: Path, **changes: object) -> Settings:
    """Two ranks, everything inside the folder."""
    return load_settings(
        {
            "training.face.steps": 4000,
            "training.face.batch": 2,
            "training.processes": 2,
            "training.log_every": 1,
            "training.checkpoint_every": 5,
            "training.faces_dir": str(folder / "faces"),
            "training.work_dir": str(folder / "runs"),
            "training.models_dir": str(folder / "models"),
            "training.reports_dir": str(folder / "reports"),
            "tracking.uri": f"sqlite:///{folder}/mlflow.db",
            "tracking.artifacts": str(folder / "artifacts"),
            **changes,
        }
    )


def main(folder: Path, assignments: list[str]) -> None:
    """Train as a user would."""
    from dreamactor_model.training.run.launch import train_stage

    changes = dict(assignment.split("=", 1) for assignment in assignments)
    train_stage(settings(folder, **changes), "face", folder / "unused.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
