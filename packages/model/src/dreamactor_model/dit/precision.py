"""The transformer in half precision, for inference."""

import torch
from torch import nn

from dreamactor_model.dit.dit import DiT
from dreamactor_model.dit.layers import FP32LayerNorm


def to_bfloat16(dit: DiT) -> None:
    """Put the weights into bfloat16, but for what decides how far a step goes and is small: times, norms, modulation.

    Inputs and the velocity keep their own type. The base keeps the same parts in single precision.
    """
    whole: list[nn.Module] = [part for part in dit.modules() if isinstance(part, FP32LayerNorm)]
    whole.append(dit.condition_embedder.time_embedder)
    kept = [parameter for part in whole for parameter in part.parameters()]
    kept += [parameter for name, parameter in dit.named_parameters() if name.endswith("scale_shift_table")]
    untouched = {id(parameter) for parameter in kept}
    for parameter in dit.parameters():
        if id(parameter) not in untouched:
            parameter.data = parameter.data.to(torch.bfloat16)
    for buffer_name, buffer in list(dit.named_buffers(recurse=False)):
        dit.register_buffer(buffer_name, buffer.to(torch.bfloat16))
