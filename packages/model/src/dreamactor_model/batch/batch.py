"""One job after the other by one loaded model; what is made already, and unchanged, is kept."""

import json
import time
import traceback
from pathlib import Path
from typing import Literal

from dreamactor_core.console import say
from dreamactor_core.errors import DreamactorError
from dreamactor_core.provenance.verification import verify_video
from pydantic import BaseModel

from dreamactor_model.animate.animator import Animator
from dreamactor_model.animate.request import VIDEO_SUFFIX, AnimateResult
from dreamactor_model.batch.jobs import Job, Row

Status = Literal["done", "kept", "failed", "refused"]
# Of the content address: enough that no two videos of a folder share it.
_NAME_LENGTH = 16


class Outcome(BaseModel):
    """What became of a row.

    Attributes:
        status: done: made now; kept: it was there, unchanged; failed: it was tried; refused: it could not be.
        model: the registered version or the folder that made it.
    """

    row: int
    output: str
    status: Status
    reason: str
    seconds: float
    model: str

    @property
    def there(self) -> bool:
        """Whether the video is there now."""
        return self.status in ("done", "kept")


class Batch:
    """Jobs by one model.

    Args:
        model: how the model is called in outcomes, such as models:/dreamactor/3.
        folder: where videos without a name of their own go.
    """

    def __init__(self, animator: Animator, model: str, folder: Path) -> None:
        self._animator, self._model, self._folder = animator, model, folder

    def run(self, row: Row) -> Outcome:
        """Do one row's job. Whatever goes wrong in it becomes its outcome."""
        if row.job is None:
            return self._outcome(row, "", "refused", row.reason)
        start = time.monotonic()
        output = row.job.output
        try:
            address = self._animator.address(row.job.request(output or Path(VIDEO_SUFFIX)))
            output = output or self._folder / f"{address[:_NAME_LENGTH]}{VIDEO_SUFFIX}"
            status = self._make(row.job, output, address)
        except DreamactorError as problem:
            return self._outcome(row, output or "", "failed", problem.line(), start)
        except Exception as problem:
            say(traceback.format_exc())
            return self._outcome(row, output or "", "failed", f"{type(problem).__name__}: {problem}", start)
        return self._outcome(row, output, status, "", start)

    def _make(self, job: Job, output: Path, address: str) -> Status:
        if is_made(output, address):
            return "kept"
        self._animator.animate(job.request(output))
        return "done"

    def _outcome(
        self, row: Row, output: Path | str, status: Status, reason: str, start: float | None = None
    ) -> Outcome:
        seconds = 0.0 if start is None else round(time.monotonic() - start, 1)
        return Outcome(
            row=row.number, output=str(output), status=status, reason=reason, seconds=seconds, model=self._model
        )


def is_made(output: Path, address: str) -> bool:
    """Whether a video is there, whole, and made of just this."""
    result = AnimateResult.beside(output)
    if not (output.is_file() and result.sidecar.is_file() and result.contact_sheet.is_file()):
        return False
    try:
        verify_video(output)
        return bool(json.loads(result.sidecar.read_text()).get("address") == address)
    except (DreamactorError, ValueError):
        return False
