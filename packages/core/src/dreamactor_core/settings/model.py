"""Which model is built."""

from typing import Literal

from pydantic import Field

from dreamactor_core.settings.base import Section


class ModelSettings(Section):
    """The preset names every size of the network; weights come from a checkpoint."""

    preset: Literal["tiny", "wan-1.3b", "wan-5b", "wan-14b"] = Field("tiny", description="Size of the model.")
    checkpoint: str = Field(
        "models/stage3", description="Checkpoint folder, or an MLflow address such as models:/dreamactor@champion."
    )
    device: str = Field("auto", description="cpu, cuda, cuda:N, or auto: cuda where there is one.")
    offload: Literal["none", "blocks"] = Field(
        "none",
        description="blocks: those of the transformer lie in main memory and visit the device in turn.",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="Type of the transformer's weights at inference; bfloat16 is for GPUs, CPUs are slower."
    )
    compile: bool = Field(
        False, description="Compile the transformer's blocks: seconds to a minute once, then faster steps."
    )
