"""What this process cannot do, told to the parent in the words that the user will read."""

from typing import Literal

Kind = Literal["weights", "settings"]


class Refusal(Exception):  # noqa: N818 - a message to the parent, not a fault of this program
    """A problem the user can solve.

    Args:
        problem: what is wrong.
        kind: of the parent's error.
        remedy: what to do.
    """

    def __init__(self, problem: str, *, kind: Kind, remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.kind, self.remedy = problem, kind, remedy
