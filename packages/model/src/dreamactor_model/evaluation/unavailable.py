"""A figure that cannot be had is said to be so; nothing takes its place."""


class Unavailable(Exception):  # noqa: N818  (it says what a figure is, not what went wrong)
    """Why a metric has no figure here.

    Attributes:
        reason: with what would help.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
