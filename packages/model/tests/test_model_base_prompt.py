"""The one prompt, embedded as diffusers' Wan pipeline does it, by a small text encoder of the same kind."""

from pathlib import Path

import pytest
import torch
from dreamactor_core.errors import WeightsError
from dreamactor_model.base.prompt import embed_prompt
from wan_folders import T2V, TEXT_DIM, TEXT_TOKENS

WORDS = ["a", "person", "speaks", "and", "moves"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

    folder = tmp_path_factory.mktemp("base")
    vocabulary = {word: index for index, word in enumerate(["<pad>", "</s>", "<unk>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder / "tokenizer")
    torch.manual_seed(0)
    sizes = {"d_model": TEXT_DIM, "d_kv": 4, "d_ff": 16, "num_layers": 1, "num_heads": 3}
    UMT5EncoderModel(UMT5Config(vocab_size=len(vocabulary), **sizes)).save_pretrained(folder / "text_encoder")
    return folder


def test_a_prompt_is_embedded_as_the_base_saw_it(folder: Path) -> None:
    from diffusers import WanPipeline
    from transformers import AutoTokenizer, UMT5EncoderModel

    ours = embed_prompt(folder, "  a person\nspeaks ", T2V.actor)
    pipeline = WanPipeline(
        tokenizer=AutoTokenizer.from_pretrained(folder / "tokenizer"),
        text_encoder=UMT5EncoderModel.from_pretrained(folder / "text_encoder"),
        vae=None,
        scheduler=None,
    )
    theirs, _ = pipeline.encode_prompt(
        "a person speaks", do_classifier_free_guidance=False, max_sequence_length=TEXT_TOKENS, device="cpu"
    )
    assert theirs.shape == (1, TEXT_TOKENS, TEXT_DIM)
    torch.testing.assert_close(ours.embedding_SC, theirs[0], rtol=1e-5, atol=1e-6)
    assert ours.embedding_SC[:4].all(), "three words and the end"
    assert not ours.embedding_SC[4:].any()
    assert ours.origin == "prompt: a person speaks"


def test_a_long_prompt_is_cut(folder: Path) -> None:
    long = embed_prompt(folder, " ".join(WORDS * 3), T2V.actor).embedding_SC
    assert long.shape == (TEXT_TOKENS, TEXT_DIM)
    assert long[-1].any()


def test_a_damaged_text_encoder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer").symlink_to(folder / "tokenizer")
    (tmp_path / "text_encoder").mkdir()
    with pytest.raises(WeightsError, match="text encoder cannot be loaded"):
        embed_prompt(tmp_path, "a person", T2V.actor)
