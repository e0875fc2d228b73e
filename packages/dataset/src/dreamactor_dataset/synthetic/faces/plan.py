"""Who shows which expression: every expression on several people, every person with many expressions.

Expressions stand in a row, and so do the people of a round; an expression is shown by the next few people of the row,
its neighbour by the same ones but for one. A stretch of neighbours thus holds equal expressions on other people and
other expressions on equal people, which is what a contrast wants to see.
"""

from dataclasses import dataclass

import numpy as np

from dreamactor_dataset.synthetic.plan import Split, split_of

SHOWN_BY = 4
"""People that show each expression (fewer where a split has fewer people)."""


@dataclass(frozen=True)
class FacePlan:
    """One face to render.

    Attributes:
        seed: of the set.
        person: number of the identity.
        expression: number of the expression, unique over all splits.
        look: which picture of the expression this is; pose and light follow from expression and look.
        split: of the person; no expression is in two splits.
    """

    seed: int
    person: int
    expression: int
    look: int
    split: Split


def plan_faces(people: int, images: int, seed: int) -> list[FacePlan]:
    """All faces of a set, by expression.

    Args:
        people: identities over all splits.
        images: of each person, rounded up to a multiple of `SHOWN_BY`.
        seed: equal seeds give equal plans.
    """
    plans: list[FacePlan] = []
    splits: tuple[Split, ...] = ("train", "val", "test")
    start = 0
    for number, split in enumerate(splits):
        members = [person for person in range(people) if split_of(person, people) == split]
        # In each turn a person shows as many expressions as people show each.
        for turn in range(-(-images // max(1, min(SHOWN_BY, len(members))))):
            row = np.random.default_rng([seed, number, turn, 7]).permutation(members)
            plans += _round(seed, split, [int(person) for person in row], start)
            start += len(members)
    return plans


def _round(seed: int, split: Split, row: list[int], start: int) -> list[FacePlan]:
    """As many expressions as people, each shown by the people from its own place on."""
    return [
        FacePlan(seed, row[(place + look) % len(row)], start + place, look, split)
        for place in range(len(row))
        for look in range(min(SHOWN_BY, len(row)))
    ]
