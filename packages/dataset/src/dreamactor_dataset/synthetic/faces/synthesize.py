"""Make a set of synthetic faces: a file a person and the list of all. Resumable, by worker processes."""

import hashlib
from dataclasses import asdict
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
from dreamactor_core.console import progress
from dreamactor_core.process_map import map_in_workers
from dreamactor_core.settings.dataset import FacesSettings

from dreamactor_dataset.face_set import FACE_LIST, MARGIN, FaceTruth, stamp_of, write_face_list, write_faces
from dreamactor_dataset.synthetic.faces.close_up import CloseUp, Sitter, draw_pose
from dreamactor_dataset.synthetic.faces.expressions import draw_expression
from dreamactor_dataset.synthetic.faces.plan import FacePlan, plan_faces
from dreamactor_dataset.synthetic.faces.visibility import unit_changes, visible_units
from dreamactor_dataset.synthetic.figure.figure import build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity

# Changes whenever equal settings give other pictures or another truth.
VERSION = "5"
# People by whom it is judged which units can be seen.
_JUDGES = 2


def synthesize_faces(folder: Path, settings: FacesSettings) -> Path:
    """Make PERSON.safetensors for every person and, once all are there, faces.json.

    People that are already there, whole and of the same settings, stay; those that are not of this set go.

    Args:
        folder: of the set; made if needed.
        settings: how many people and pictures, their size, the seed.

    Returns:
        The list.

    Raises:
        InputError: a wheel that carries the meshes is not installed.
        DreamactorError: a worker process was killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plans = sorted(plan_faces(settings.people, settings.images, settings.seed), key=lambda plan: plan.person)
    batches = {_name(person, settings): list(batch) for person, batch in groupby(plans, key=lambda plan: plan.person)}
    _drop_others(folder, set(batches))
    wanted = [batch for name, batch in batches.items() if stamp_of(_path(folder, name)) != _stamp(batch, settings)]
    made = map_in_workers(partial(_make_person, folder, settings), wanted, settings.processes, folder)
    for _ in progress(made, "synthetic faces: people", total=len(wanted)):
        pass
    changes = unit_changes([build_figure(make_identity(settings.seed, judge)) for judge in range(_JUDGES)])
    people = {name: batch[0].split for name, batch in batches.items()}
    about = {"version": VERSION, "settings": settings.model_dump(exclude={"processes"}), "unit_changes": changes}
    return write_face_list(folder, people, visible_units(changes), about)


def _make_person(folder: Path, settings: FacesSettings, batch: list[FacePlan]) -> None:
    """Render the faces of one person."""
    sitter = Sitter(build_figure(make_identity(settings.seed, batch[0].person)), settings.size, margin=MARGIN)
    units = np.stack([draw_expression(_random(plan, "expression")) for plan in batch])
    randoms = [_random(plan, "look") for plan in batch]
    shots = sitter.photograph([draw_pose(random) for random in randoms], units, randoms)
    path = _path(folder, _name(batch[0].person, settings))
    write_faces(path, [shot.image for shot in shots], _truth(batch, units, shots), _stamp(batch, settings))


def _random(plan: FacePlan, what: str) -> np.random.Generator:
    """Of an expression, whoever shows it; of a look, that picture alone."""
    if what == "expression":
        return np.random.default_rng([plan.seed, plan.expression, 5])
    return np.random.default_rng([plan.seed, plan.expression, plan.look, 6])


def _truth(batch: list[FacePlan], units: np.ndarray, shots: list[CloseUp]) -> FaceTruth:
    return FaceTruth(
        expressions=np.array([plan.expression for plan in batch]),
        units=units,
        angles_rad=np.stack([shot.angles_rad for shot in shots]),
        light=np.stack([shot.light for shot in shots]),
        points=np.stack([shot.points for shot in shots]),
    )


def _drop_others(folder: Path, names: set[str]) -> None:
    """Remove what an earlier run with other settings left, and the list, which is written last."""
    (folder / FACE_LIST).unlink(missing_ok=True)
    for path in folder.glob("person-*.safetensors"):
        if path.stem not in names:
            path.unlink()


def _stamp(batch: list[FacePlan], settings: FacesSettings) -> str:
    """Version of the renderer, and a digest of all that a person's faces follow from."""
    cause = f"{[asdict(plan) for plan in batch]} {settings.size} {MARGIN}"
    return f"{VERSION}+{hashlib.sha256(cause.encode()).hexdigest()[:12]}"


def _name(person: int, settings: FacesSettings) -> str:
    return f"person-{settings.seed:04d}-{person:04d}"


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"
