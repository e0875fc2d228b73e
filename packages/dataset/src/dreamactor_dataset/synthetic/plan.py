"""Which clips a cast of people makes: who, what motion, which framing, which split.

People are disjoint between splits, and so are captured motions; motions that are made from curves differ by seed.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Framing = Literal["portrait", "half", "full"]
Split = Literal["train", "val", "test"]
Category = Literal["speech", "expression", "gesture", "walk", "dance", "sport"]

NAME_START = "synthetic-"
_VALIDATION_SHARE, _TEST_SHARE = 0.125, 0.125
_CATEGORY_ODDS: dict[Category, float] = {
    "speech": 0.36,
    "expression": 0.24,
    "gesture": 0.24,
    "walk": 0.05,
    "dance": 0.05,
    "sport": 0.06,
}
_FRAMINGS: tuple[Framing, ...] = ("portrait", "half", "full")
_FRAMING_ODDS: dict[Category, tuple[float, float, float]] = {
    "speech": (0.62, 0.33, 0.05),
    "expression": (0.9, 0.1, 0.0),
    "gesture": (0.05, 0.70, 0.25),
    "walk": (0.0, 0.0, 1.0),
    "dance": (0.0, 0.0, 1.0),
    "sport": (0.0, 0.0, 1.0),
}
_TURNS_SHARE = 0.15
# Captured motions by split; the small set has no third walk or dance of its own.
_CAPTURED: dict[Split, dict[str, tuple[str, ...]]] = {
    "train": {"walk": ("walk",), "dance": ("dance_a",), "sport": ("kick", "jump", "spinkick", "cartwheel")},
    "val": {"walk": ("spin",), "dance": ("spin",), "sport": ("punch",)},
    "test": {"walk": ("run",), "dance": ("dance_b",), "sport": ("run", "dance_b")},
}


@dataclass(frozen=True)
class ClipPlan:
    """One clip to make.

    Attributes:
        name: unique by seed and number.
        person: number of the identity.
        seed: of the set; number: of the clip. All that is random in the clip follows from both.
        category, framing, split: for the manifest.
        captured: name of the captured motion, or None for a motion made from curves.
        turns: whether the person turns all the way round.
    """

    name: str
    person: int
    seed: int
    number: int
    category: Category
    framing: Framing
    split: Split
    captured: str | None
    turns: bool = False


def plan_clips(people: int, clips: int, seed: int) -> list[ClipPlan]:
    """The plans of a set: people take turns, so that their numbers of clips differ by one at most."""
    return [_plan(number, number % people, people, seed) for number in range(clips)]


def split_of(person: int, people: int) -> Split:
    """The split a person belongs to: the last ones test, those before validate; one alone trains."""
    test = max(1, round(people * _TEST_SHARE)) if people >= 3 else 0
    validation = max(1, round(people * _VALIDATION_SHARE)) if people >= 3 else 0
    if person >= people - test:
        return "test"
    return "val" if person >= people - test - validation else "train"


def _plan(number: int, person: int, people: int, seed: int) -> ClipPlan:
    random = np.random.default_rng([seed, number, 3])
    split = split_of(person, people)
    category = list(_CATEGORY_ODDS)[random.choice(len(_CATEGORY_ODDS), p=list(_CATEGORY_ODDS.values()))]
    framing = _FRAMINGS[random.choice(3, p=_FRAMING_ODDS[category])]
    captured = None
    if category in _CAPTURED[split]:
        choices = _CAPTURED[split][category]
        captured = choices[random.integers(len(choices))]
    return ClipPlan(
        name=f"{NAME_START}{seed:04d}-{number:05d}",
        person=person,
        seed=seed,
        number=number,
        category=category,
        framing=framing,
        split=split,
        captured=captured,
        turns=category == "gesture" and framing != "portrait" and random.random() < _TURNS_SHARE,
    )
