"""LoRA: how far the merged model is from base and adapters, and what training touches.

python -m benchmarks.training_parts.lora
"""

import json

import torch
from dreamactor_model.actor import DreamActor
from dreamactor_model.lora.adapters import adapter_state, add_adapters, merge_adapters
from dreamactor_model.presets import get_preset
from torch import Tensor, nn

_RANK, _ALPHA = 16, 16.0


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Largest difference of velocities, relative to the largest one, after some training of the tiny preset."""
    torch.manual_seed(0)
    actor = DreamActor(get_preset("tiny").actor)
    for block in actor.dit.blocks:
        nn.init.normal_(block.ref_attn.to_out[0].weight, std=0.05)
        nn.init.normal_(block.face_attn.to_out[0].weight, std=0.05)
    nn.init.normal_(actor.dit.proj_out.weight, std=0.05)
    before = {name: tensor.clone() for name, tensor in actor.state_dict().items()}
    whole = sum(parameter.numel() for parameter in actor.parameters())
    add_adapters(actor, _RANK, _ALPHA)
    _train(actor, max(int(20 * scale), 3))
    after = actor.state_dict()
    untouched = all(torch.equal(after[name], tensor) for name, tensor in before.items())
    learnt = sum(tensor.numel() for tensor in adapter_state(actor).values())
    with torch.no_grad():
        adapted = _velocity(actor)
        merge_adapters(actor)
        merged = _velocity(actor)
    return {
        "lora_merge_error": float((merged - adapted).abs().max() / adapted.abs().max()),
        "lora_touches_adapters_only": untouched,
        "lora_parameter_share": learnt / whole,
    }


def _velocity(actor: DreamActor) -> Tensor:
    generator = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    config, frames, side = actor.config, 3, 8
    latents = normal(1, config.latent_channels, frames, side, side)
    references = normal(1, 1, config.latent_channels, side, side)
    pose, face = normal(1, config.pose_channels, frames, side, side), normal(1, 4 * frames - 3, config.face_width)
    return actor(latents, torch.full((1, frames), 0.5), references, pose, face)


def _train(actor: DreamActor, steps: int) -> None:
    optimizer = torch.optim.AdamW([p for p in actor.parameters() if p.requires_grad], lr=3e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        (_velocity(actor) - 1).square().mean().backward()
        optimizer.step()


if __name__ == "__main__":
    print(json.dumps(measure()))
