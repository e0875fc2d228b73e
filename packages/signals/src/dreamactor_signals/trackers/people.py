"""Who is who: people found in single frames, told apart over a clip by where they are.

People are counted from 1 in the order in which they appear, those of one frame from left to right.

Legend: N people found in a frame; boxes are (4,) x0 y0 x1 y1 in pixels.
"""

from dataclasses import dataclass

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.settings.signals import SignalsSettings

from dreamactor_signals.litert.detector import overlaps

# Boxes of one person in neighbouring frames share at least this much of their union.
_SAME_PERSON = 0.3
# Frames after which somebody who comes in late counts: single frames show people who are not there.
_SETTLED = 3
# Frames after which a person is given up, and whoever then comes in where they were last is taken for them.
_PATIENCE = 10


@dataclass
class _Person:
    """Somebody seen in the clip."""

    box_px: np.ndarray
    number: int | None = None
    seen: int = 1
    missed: int = 0


class People:
    """Everybody in a clip, one of whom is followed.

    Args:
        number: whom to follow; None for the largest.
        box_px: (4,) where the one to follow is in the first frame; it goes before `number`.
    """

    def __init__(self, number: int | None = None, box_px: np.ndarray | None = None) -> None:
        self._number = number
        self._others: list[_Person] = []
        self._followed = None if box_px is None else _Person(np.asarray(box_px, dtype=np.float64))
        self._count = 0
        self.chosen = number is not None or box_px is not None
        """Whether somebody in particular is to be followed."""

    @classmethod
    def of(cls, settings: SignalsSettings) -> "People":
        """With the one to follow that the settings name."""
        box_px = settings.person_box_px
        return cls(settings.person, None if box_px is None else np.array(box_px))

    @property
    def crowded(self) -> bool:
        """Whether somebody else has been seen of late."""
        return bool(self._others)

    def moved(self, box_px: np.ndarray) -> None:
        """The one who is followed was seen here, in the frame of the last update or after it."""
        if self._followed is not None:
            self._followed.box_px, self._followed.missed = box_px, 0

    def is_someone_else(self, box_px: np.ndarray) -> bool:
        """Whether a box lies more on somebody else than on the one who is followed."""
        others = [person.box_px for person in self._others if not person.missed]
        if not others or self._followed is None:
            return False
        other = overlaps(box_px, np.array(others)).max()
        return bool(other > max(_SAME_PERSON, overlaps(box_px, self._followed.box_px[None])[0]))

    def update(self, boxes_px: np.ndarray, scores: np.ndarray) -> int | None:
        """Take in a frame.

        Args:
            boxes_px: (N, 4).
            scores: (N,).

        Returns:
            Which of the N is followed; None when that person is not among them.
        """
        known = [person for person in (self._followed, *self._others) if person is not None]
        found = _match(known, boxes_px)
        for person in known:
            person.missed = 0 if id(person) in found else person.missed + 1
            if id(person) in found:
                person.box_px, person.seen = boxes_px[found[id(person)]], person.seen + 1
        newcomers = [n for n in range(len(boxes_px)) if n not in found.values()]
        arrived = {n: _Person(boxes_px[n]) for n in newcomers}
        self._others = [person for person in self._others if person.missed <= _PATIENCE] + list(arrived.values())
        self._count_heads()
        places = found | {id(person): n for n, person in arrived.items()}
        self._choose(places, boxes_px, scores)
        return None if self._followed is None else places.get(id(self._followed))

    def _count_heads(self) -> None:
        """Number those who have settled; everybody in the first frame that shows anybody."""
        settled = [p for p in self._others if p.number is None and (p.seen >= _SETTLED or self._count == 0)]
        for person in sorted(settled, key=lambda person: person.box_px[0] + person.box_px[2]):
            self._count += 1
            person.number = self._count

    def _choose(self, places: dict[int, int], boxes_px: np.ndarray, scores: np.ndarray) -> None:
        if self._followed is not None and id(self._followed) in places:
            return
        here = [person for person in self._others if id(person) in places]
        if self._followed is None:
            self._follow(self._first_choice(here, places, boxes_px, scores))
        elif not self.chosen or self._followed.missed > _PATIENCE:
            # Whoever has another number is somebody else for sure.
            new = [person for person in here if person.seen < _SETTLED] if self.chosen else here
            last_px = _middle(self._followed.box_px)
            self._follow(min(new, key=lambda p: float(np.linalg.norm(_middle(p.box_px) - last_px)), default=None))

    def _first_choice(
        self, here: list[_Person], places: dict[int, int], boxes_px: np.ndarray, scores: np.ndarray
    ) -> _Person | None:
        if self._number is not None:
            return next((person for person in here if person.number == self._number), None)
        size = (boxes_px[:, 2:] - boxes_px[:, :2]).max(axis=1) * scores if len(boxes_px) else scores
        return max(here, key=lambda person: float(size[places[id(person)]]), default=None)

    def _follow(self, person: _Person | None) -> None:
        if person is not None:
            self._followed = person
            self._others = [other for other in self._others if other is not person]

    def check_found(self) -> None:
        """After the last frame.

        Raises:
            InputError: the person who was asked for never came.
        """
        if self._number is not None and self._followed is None and self._count:
            raise InputError(
                f"person {self._number} was asked for, and only {self._count} appeared",
                remedy=f"Choose --person between 1 and {self._count}",
            )


def _match(known: list[_Person], boxes_px: np.ndarray) -> dict[int, int]:
    """Which box is whose, the best overlaps first: person's id -> index of the box."""
    if not known or not len(boxes_px):
        return {}
    shared = np.array([overlaps(person.box_px, boxes_px) for person in known])
    matched: dict[int, int] = {}
    while shared.max() > _SAME_PERSON:
        who, which = np.unravel_index(shared.argmax(), shared.shape)
        matched[id(known[who])] = int(which)
        shared[who], shared[:, which] = 0, 0
    return matched


def _middle(box_px: np.ndarray) -> np.ndarray:
    return (box_px[:2] + box_px[2:]) / 2
