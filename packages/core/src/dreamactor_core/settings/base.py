"""What every settings section shares."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A group of settings. Unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
