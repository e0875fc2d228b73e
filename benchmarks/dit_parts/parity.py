"""How far an imported Wan base is from the base itself, and how much memory importing takes.

Random weights in two kinds of base (as Wan2.1-T2V and as Wan2.2-TI2V), each in both key layouts, in one file and in
shards; one timestep a clip and one a frame. Memory is that of a process of its own.

    python -m benchmarks.dit_parts.parity
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import WanTransformer3DModel
from dreamactor_model.actor import DreamActor
from dreamactor_model.base.prompt import CachedPrompt
from dreamactor_model.base.source import open_base
from dreamactor_model.base.wan_import import ImportChoices, import_wan
from dreamactor_model.checkpoint import load_checkpoint
from dreamactor_model.dit.layers import TIMESTEP_SCALE
from dreamactor_model.presets import Preset
from torch import Tensor

# The small bases are those of the package's tests.
_TESTS = Path(__file__).parents[2] / "packages" / "model" / "tests"
sys.path.append(str(_TESTS))
from wan_folders import LARGE, T2V, TI2V, random_vae, write_diffusers, write_original  # noqa: E402 - found there

_LAYOUTS: dict[str, Callable[[Path, Preset], WanTransformer3DModel]] = {
    "diffusers": write_diffusers,
    "diffusers_shards": lambda folder, preset: write_diffusers(folder, preset, shard_size="60KB"),
    "original": write_original,
    "original_shards": lambda folder, preset: write_original(folder, preset, files=3),
}
_FRAMES, _ROWS, _COLUMNS = 4, 8, 6
_SHARD_BYTES = 24_000_000


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:  # noqa: ARG001 - seconds at any scale
    """Largest relative difference, and the growth of the peak over the largest shard read plus the one written."""
    with tempfile.TemporaryDirectory() as folder:
        errors = {
            f"parity_{preset.name}_{layout}": _error(Path(folder) / preset.name / layout, preset, layout)
            for preset in (T2V, TI2V)
            for layout in _LAYOUTS
        }
        ratio = _memory_ratio(Path(folder))
    return {"wan_parity_rel": max(errors.values()), **errors, "import_peak_ratio": ratio}


@torch.no_grad()
def _error(folder: Path, preset: Preset, layout: str) -> float:
    wan = _LAYOUTS[layout](folder / "base", preset)
    random_vae(preset.vae).save_pretrained(folder / "vae")
    assert preset.actor.text_dim is not None
    generator = torch.Generator().manual_seed(7)
    text_SC = torch.randn(preset.actor.text_tokens, preset.actor.text_dim, generator=generator)
    choices = ImportChoices(CachedPrompt(text_SC, "random"))
    import_wan(open_base(folder / "base"), folder / "vae", folder / "out", preset, choices)
    actor = load_checkpoint(folder / "out", DreamActor)
    latents = torch.randn(2, preset.actor.latent_channels, _FRAMES, _ROWS, _COLUMNS, generator=generator)
    times_BF = torch.rand(2, _FRAMES, generator=generator)
    times_BF[:, 0] = 0
    times_BL = times_BF.repeat_interleave(_ROWS * _COLUMNS // 4, dim=1)
    text = text_SC.expand(2, -1, -1)
    by_frame = wan(latents, times_BL * TIMESTEP_SCALE, text).sample
    by_clip = wan(latents, times_BF[:, 1] * TIMESTEP_SCALE, text).sample
    return max(
        _relative(actor(latents, times_BF), by_frame),
        _relative(actor(latents, times_BF[:, 1:2].expand(-1, _FRAMES)), by_clip),
    )


def _relative(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


def _memory_ratio(folder: Path) -> float:
    write_diffusers(folder / "small", T2V)
    write_diffusers(folder / "large", LARGE, shard_size=f"{_SHARD_BYTES // 1_000_000}MB")
    child = [sys.executable, str(_TESTS / "import_in_child.py"), str(folder), str(_SHARD_BYTES)]
    grown = int(subprocess.run(child, stdout=subprocess.PIPE, text=True, check=True).stdout)
    read = max(path.stat().st_size for path in (folder / "large" / "transformer").glob("*.safetensors"))
    written = max(path.stat().st_size for path in (folder / "large-out").glob("*.safetensors"))
    return grown / (read + written)


if __name__ == "__main__":
    print(json.dumps(measure()))
