"""Which model is built."""

from typing import Final, Literal

from pydantic import Field

from dreamactor_core.settings.base import Section

RELEASED: Final = "released"
"""As a checkpoint: the tiny model that comes with the package."""


class ModelSettings(Section):
    """The preset names every size of the network; weights come from a checkpoint."""

    preset: Literal["tiny", "wan-1.3b", "wan-5b", "wan-14b"] = Field("tiny", description="Size of the model.")
    checkpoint: str = Field(
        RELEASED,
        description="Weights to animate with: released (the tiny model that comes with the package), a checkpoint "
        "folder such as models/refiner, or an MLflow address such as models:/dreamactor@champion.",
    )
    device: str = Field("auto", description="cpu, cuda, cuda:N, or auto: cuda where there is one.")
    offload: Literal["none", "blocks"] = Field(
        "none",
        description="blocks: those of the transformer lie in main memory and visit the device in turn.",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="Type of transformer and refiner at inference; bfloat16 is for GPUs, CPUs are slower.",
    )
    compile: bool = Field(
        False, description="Compile the transformer's blocks: seconds to a minute once, then faster steps."
    )
