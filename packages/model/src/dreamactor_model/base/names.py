"""The weights of Wan are named in two ways: as its authors name them, and as diffusers does. Ours are diffusers'."""

import re

# Wan's name within a module -> diffusers'.
_ATTENTION = {"q": "to_q", "k": "to_k", "v": "to_v", "o": "to_out.0", "norm_q": "norm_q", "norm_k": "norm_k"}
_ATTENTIONS = {"self_attn": "attn1", "cross_attn": "attn2"}
_IN_A_BLOCK = {
    f"{theirs}.{part}": f"{ours}.{our_part}"
    for theirs, ours in _ATTENTIONS.items()
    for part, our_part in _ATTENTION.items()
} | {
    # Wan numbers its norms by age, diffusers by their order in the block.
    "norm3": "norm2",
    "norm2": "norm3",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
    "modulation": "scale_shift_table",
}
_OUTSIDE = {
    "time_embedding.0": "condition_embedder.time_embedder.linear_1",
    "time_embedding.2": "condition_embedder.time_embedder.linear_2",
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
    "time_projection.1": "condition_embedder.time_proj",
    "head.head": "proj_out",
    "head.modulation": "scale_shift_table",
}
_NAME = re.compile(r"(?P<block>blocks\.\d+\.)?(?P<module>.+?)(?P<parameter>\.weight|\.bias)?")
ORIGINAL_MARK = "blocks.0.self_attn.q.weight"
DIFFUSERS_MARK = "blocks.0.attn1.to_q.weight"


def diffusers_name(original: str) -> str:
    """The name diffusers gives to a weight of the original layout; an unknown one stays as it is."""
    found = _NAME.fullmatch(original)
    if found is None:
        return original
    block, module, parameter = (part or "" for part in found.groups())
    return block + (_IN_A_BLOCK if block else _OUTSIDE).get(module, module) + parameter
