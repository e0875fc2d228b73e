"""What a checkpoint holds beside tensors, as JSON: where the training stood.

Batches, noise and all other random numbers are functions of the seed, the step and the micro-batch; so the position
among the micro-batches is the state of the sampler and of every random generator, for any number of ranks.
"""

from pathlib import Path
from typing import Any, Self

from dreamactor_core.errors import TrainingError
from pydantic import BaseModel, ConfigDict, ValidationError

STATE = "state.json"


class TrainingState(BaseModel):
    """Where a run stood.

    Attributes:
        configuration: what decides the weights, as a hash (`spec.configuration_hash`).
        step: optimizer steps taken.
        micro_batches: micro-batches that all ranks together have consumed.
        seed: of everything random.
        ranks: that wrote the checkpoint; any other number may read it.
        schedule: the learning-rate scheduler's own state.
        mlflow_run: the run that it belongs to; None while MLflow has not been reached.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    configuration: str
    step: int
    micro_batches: int
    seed: int
    ranks: int
    schedule: dict[str, Any]
    mlflow_run: str | None

    @classmethod
    def read(cls, checkpoint: Path, *, configuration: str) -> Self:
        """That of a checkpoint whose bytes have been checked.

        Raises:
            TrainingError: it is of another configuration or of another version of this program.
        """
        try:
            state = cls.model_validate_json((checkpoint / STATE).read_text())
        except (OSError, ValidationError) as problem:
            raise TrainingError("the checkpoint is of another version", path=checkpoint) from problem
        if state.configuration != configuration:
            raise TrainingError(
                "the checkpoint is of another configuration: data, settings or earlier weights differ",
                path=checkpoint,
                remedy="Remove it, or train with what it was made with",
            )
        return state
