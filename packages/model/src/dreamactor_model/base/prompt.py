"""The one prompt a text-to-video base is driven with: its embedding becomes part of the weights.

Legend: S text tokens, C width of the text encoder.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from dreamactor_core.errors import WeightsError
from torch import Tensor
from torch.nn import functional as F

from dreamactor_model.checkpoint.tensors import list_tensors
from dreamactor_model.presets import ActorConfig

NEUTRAL_PROMPT = "A video of one person who moves and speaks naturally."
TEXT_ENCODER_FOLDER, TOKENIZER_FOLDER = "text_encoder", "tokenizer"


@dataclass(frozen=True)
class CachedPrompt:
    """An embedding (S, C) and where it comes from, in words."""

    embedding_SC: Tensor
    origin: str


def no_prompt(config: ActorConfig) -> CachedPrompt:
    """Zeros: a base that was trained with text then sees less than it ever did."""
    return CachedPrompt(torch.zeros(config.text_tokens, config.text_dim or 0), "none: zeros")


def read_embedding(path: Path, config: ActorConfig) -> CachedPrompt:
    """An embedding made elsewhere: a safetensors file of one tensor, (S, C) or (1, S, C).

    Raises:
        WeightsError: no such tensor, or of another width or length than the base's.
    """
    if not path.is_file():
        raise WeightsError("no such file", path=path, remedy="Check the path")
    tensors = list_tensors([path])
    if len(tensors) != 1:
        raise WeightsError(f"holds {len(tensors)} tensors instead of one prompt's embedding", path=path)
    (stored,) = tensors.values()
    embedding = stored.read()
    embedding_SC = embedding[0] if embedding.ndim == 3 and len(embedding) == 1 else embedding
    return CachedPrompt(_padded(embedding_SC, config, path), f"embedding {path.name}")


def embed_prompt(folder: Path, text: str, config: ActorConfig) -> CachedPrompt:
    """Embed a prompt with the text encoder and the tokenizer that lie in `folder`, as the base was trained.

    Raises:
        WeightsError: they are not there or cannot be loaded, or `transformers` is not installed.
    """
    for name in (TEXT_ENCODER_FOLDER, TOKENIZER_FOLDER):
        if not (folder / name).is_dir():
            raise WeightsError(
                f"no {name}/ to embed the prompt with",
                path=folder,
                remedy="Add --prompt-embedding FILE.safetensors, or --no-prompt for zeros",
            )
    try:
        from transformers import AutoTokenizer, UMT5EncoderModel
    except ImportError as problem:
        raise WeightsError(
            "embedding a prompt needs transformers, which is not installed",
            remedy="Install dreamactor-model[prompt], or add --prompt-embedding FILE.safetensors",
        ) from problem
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder / TOKENIZER_FOLDER, local_files_only=True)
        encoder = UMT5EncoderModel.from_pretrained(
            folder / TEXT_ENCODER_FOLDER, local_files_only=True, use_safetensors=True, dtype="auto"
        )
    except (OSError, ValueError, RuntimeError, KeyError) as problem:
        raise WeightsError(f"the text encoder cannot be loaded ({problem})", path=folder) from problem
    words = " ".join(text.split())
    tokens = tokenizer(words, max_length=config.text_tokens, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        embedded = encoder.eval()(tokens.input_ids, tokens.attention_mask).last_hidden_state[0]
    return CachedPrompt(_padded(embedded.clone(), config, folder), f"prompt: {words}")


def _padded(embedding_SC: Tensor, config: ActorConfig, path: Path) -> Tensor:
    # The base was trained with zeros after the last token, not with the encoder's idea of padding.
    if embedding_SC.ndim != 2 or embedding_SC.shape[1] != config.text_dim or len(embedding_SC) > config.text_tokens:
        raise WeightsError(
            f"a prompt's embedding is up to {config.text_tokens} x {config.text_dim}, not {tuple(embedding_SC.shape)}",
            path=path,
        )
    return F.pad(embedding_SC.float(), (0, 0, 0, config.text_tokens - len(embedding_SC)))
