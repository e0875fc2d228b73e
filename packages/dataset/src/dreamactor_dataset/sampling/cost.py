"""What a sample costs to train on: its tokens, and attention between all of them."""

import numpy as np

from dreamactor_dataset.fitting import SIDE_MULTIPLE
from dreamactor_dataset.sampling.draw import LATENT_STRIDE


def frame_tokens(size: np.ndarray) -> np.ndarray:
    """(...) tokens of a latent frame.

    Args:
        size: (..., 2) width and height of the frames in pixels.
    """
    tokens: np.ndarray = (np.asarray(size) // SIDE_MULTIPLE).prod(axis=-1, dtype=np.int32)
    return tokens


def sample_cost(
    frame_count: np.ndarray, tokens_a_frame: np.ndarray, reference_count: np.ndarray, attention_tokens: int
) -> np.ndarray:
    """(...) relative cost of a forward pass, float32.

    Args:
        frame_count: (...) video frames, 4n+1.
        tokens_a_frame: (...) see `frame_tokens`.
        reference_count: (...) references; each is a latent frame more.
        attention_tokens: tokens at which attention, which grows with their square, costs as much as all the rest. Of
            a transformer of width D, with feed-forward 6 D, about 8.5 D.
    """
    latent_frames = (np.asarray(frame_count) - 1) // LATENT_STRIDE + 1 + np.asarray(reference_count)
    tokens = (latent_frames * tokens_a_frame).astype(np.float32)
    cost: np.ndarray = tokens * (1 + tokens / attention_tokens)
    return cost
