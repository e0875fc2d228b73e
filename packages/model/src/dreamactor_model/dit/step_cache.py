"""Step caching (TeaCache's idea): where the blocks' input has hardly changed since they last ran, so has what they add.

Legend: B batch, N frames, L tokens of a frame, D width.
"""

from collections.abc import Callable

from torch import Tensor


class StepCache:
    """Decides at each step of one segment whether the blocks run; if not, what they last added is added again.

    The input is compared as the first block enters it, normed and modulated by the timestep: its mean absolute change
    from step to step, relative to its mean size, is summed up since the blocks last ran. An approximation: its error
    grows with the threshold, and is measured by `benchmarks/dit_parts/approximations.py`.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._entered: Tensor | None = None
        self._added: Tensor | None = None
        self._drift = 0.0

    def through(self, x_BNLD: Tensor, entered_BNLD: Tensor, blocks: Callable[[Tensor], Tensor]) -> Tensor:
        """Tokens after the blocks, (B, N, L, D).

        Args:
            x_BNLD: tokens before them.
            entered_BNLD: the same as the first block's attention reads them.
            blocks: runs them.
        """
        if self._entered is not None:
            change = (entered_BNLD - self._entered).abs().mean() / self._entered.abs().mean()
            self._drift += float(change)
        self._entered = entered_BNLD
        if self._added is not None and self._drift < self._threshold:
            return x_BNLD + self._added
        result = blocks(x_BNLD)
        self._added, self._drift = result - x_BNLD, 0.0
        return result
