"""The encoders of the control signals: the grid, causality, independence of what stands beside."""

import dataclasses

import pytest
import torch
from dreamactor_model.encoders.face import ExpressionHead, FaceMLP, FaceMotionEncoder
from dreamactor_model.encoders.pose import PoseEncoder
from dreamactor_model.presets import get_preset, video_frames

TINY = get_preset("tiny").actor


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("latents", [1, 3])
def test_pose_features_lie_on_the_grid_of_the_latents(stride: int, latents: int) -> None:
    encoder = PoseEncoder(dataclasses.replace(TINY, spatial_stride=stride))
    features = encoder(torch.rand(2, 6, video_frames(latents), 64, 32))
    assert features.shape == (2, TINY.pose_channels, latents, 64 // stride, 32 // stride)


@pytest.mark.parametrize(("frame", "first_latent"), [(0, 0), (1, 1), (4, 1), (5, 2), (8, 2)])
@torch.no_grad()
def test_pose_features_never_look_ahead(frame: int, first_latent: int) -> None:
    """Latent 0 knows frame 0 alone, latent k the frames up to 4k, as the VAE's do."""
    encoder = PoseEncoder(TINY)
    control = torch.rand(1, 6, 9, 32, 32)
    other = control.clone()
    other[:, :, frame] = torch.rand(1, 6, 32, 32)
    before, after = encoder(control), encoder(other)
    changed = [latent for latent in range(3) if not torch.allclose(before[:, :, latent], after[:, :, latent])]
    assert changed == list(range(first_latent, 3))


@torch.no_grad()
def test_a_moved_figure_moves_its_features() -> None:
    encoder = PoseEncoder(TINY)
    control = torch.zeros(1, 6, 5, 64, 128)
    control[..., 24:40, 40:56] = 1
    moved = control.roll(16, dims=-1)
    features, features_moved = encoder(control), encoder(moved)
    # Away from the borders, whose padding stays where it is.
    torch.testing.assert_close(features[..., 3:5, 3:11], features_moved[..., 3:5, 5:13])
    assert not torch.allclose(features[..., 3:5, 3:11], features_moved[..., 3:5, 3:11])


@torch.no_grad()
def test_a_face_token_depends_on_its_crop_alone() -> None:
    torch.manual_seed(0)
    encoder = FaceMotionEncoder(TINY)
    crops = torch.rand(3, 3, 224, 224)
    together = encoder(crops)
    assert together.shape == (3, TINY.face_width)
    torch.testing.assert_close(together[1:2], encoder(crops[1:2]), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together[0], together[1])
    assert not any("running" in name for name, _ in encoder.named_buffers())


@torch.no_grad()
def test_the_mouth_is_told_from_the_eyes() -> None:
    """The same mark high or low in the crop must not give the same features."""
    torch.manual_seed(0)
    encoder = FaceMotionEncoder(TINY)
    crops = torch.full((2, 3, 224, 224), 0.5)
    crops[0, :, 64:96, 96:128] = 1
    crops[1, :, 128:160, 96:128] = 1
    high, low = encoder(crops)
    assert (high - low).norm() > 0.1 * high.norm()


def test_the_expression_head_reads_52_units() -> None:
    units = ExpressionHead(16)(torch.randn(4, 16) * 10)
    assert units.shape == (4, 52)
    assert units.min() >= 0
    assert units.max() <= 1


def test_face_tokens_have_the_encoder_s_width() -> None:
    assert FaceMLP(16)(torch.randn(2, 5, 16)).shape == (2, 5, 16)
