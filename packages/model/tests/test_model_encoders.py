"""The encoders of the control signals: the grid, causality, independence of what stands beside."""

import dataclasses
import math

import pytest
import torch
from dreamactor_model.encoders.face import ExpressionHead, FaceMLP, FaceMotionEncoder, cut_parts
from dreamactor_model.encoders.pose import PoseEncoder
from dreamactor_model.presets import get_preset, video_frames
from torch.nn import functional

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
    torch.testing.assert_close(together[1:2], encoder(crops[1:2]), rtol=1e-3, atol=2e-4)
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


def _turned(
    picture: torch.Tensor, points: torch.Tensor, angle_rad: float, zoom: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """A crop and its points, turned about its middle and enlarged."""
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    turn = torch.tensor([[cos, -sin], [sin, cos]])
    grid = functional.affine_grid(torch.cat([turn / zoom, torch.zeros(2, 1)], dim=1)[None], list(picture.shape), False)
    # The grid says where a pixel comes from; points go the other way.
    return functional.grid_sample(picture, grid, align_corners=False), (points - 0.5) @ turn * zoom + 0.5


@torch.no_grad()
def test_parts_are_cut_upright_and_equally_large() -> None:
    generator = torch.Generator().manual_seed(0)
    picture = functional.interpolate(torch.rand(1, 3, 14, 14, generator=generator), 224, mode="bicubic").clamp(0, 1)
    points = torch.tensor([[[0.58, 0.45], [0.42, 0.45], [0.50, 0.60]]])
    straight = cut_parts(picture, points)
    turned = cut_parts(*_turned(picture, points, angle_rad=0.5, zoom=1.2))
    for part, other in zip(straight, turned, strict=True):
        assert part.shape == (1, 3, 64, 64)
        assert (part - other).abs().mean() < 0.02
        assert (part - other.flip(3)).abs().mean() > 0.1


@torch.no_grad()
def test_half_precision_weights_still_cut_at_the_right_place() -> None:
    torch.manual_seed(0)
    encoder = FaceMotionEncoder(TINY)
    crops = functional.interpolate(torch.rand(2, 3, 14, 14), 224, mode="bicubic").clamp(0, 1)
    points, features = encoder.find(crops), encoder(crops)
    encoder.to(torch.bfloat16)
    assert encoder.find(crops).dtype == torch.float32
    assert (encoder.find(crops) - points).abs().max() < 0.01
    assert encoder(crops).dtype == torch.bfloat16
    assert (encoder(crops) - features).norm() < 0.1 * features.norm()


@torch.no_grad()
def test_points_on_one_spot_still_give_a_square() -> None:
    parts = cut_parts(torch.rand(2, 3, 224, 224), torch.full((2, 3, 2), 0.5))
    assert all(torch.isfinite(part).all() for part in parts)


@torch.no_grad()
def test_a_face_that_lies_elsewhere_reads_the_same_once_it_is_found() -> None:
    torch.manual_seed(0)
    encoder = FaceMotionEncoder(TINY)
    picture = functional.interpolate(torch.rand(1, 3, 14, 14), 224, mode="bicubic").clamp(0, 1)
    points = torch.tensor([[[0.58, 0.45], [0.42, 0.45], [0.50, 0.60]]])
    moved = picture.roll((12, -9), dims=(2, 3))
    there = points + torch.tensor([-9.0, 12.0]) / 224
    here = encoder.read(picture, points)
    torch.testing.assert_close(encoder.read(moved, there), here, rtol=1e-2, atol=1e-2)
    assert (encoder.read(moved, points) - here).norm() > 0.1 * here.norm()
    # In another lamp's light, too.
    torch.testing.assert_close(encoder.read(0.6 * picture + 0.1, points), here, rtol=0.1, atol=0.05)


@torch.no_grad()
def test_a_closer_look_counts_along_the_face() -> None:
    """By how far the closer look moves each point, in distances from the eyes to the mouth, however the face lies."""
    torch.manual_seed(0)
    finder = FaceMotionEncoder(TINY).finder
    for look, (across, along) in ((finder.eye, (0.1, 0.2)), (finder.mouth, (-0.1, 0.0))):
        look.readout.weight.zero_()
        look.readout.bias.copy_(torch.tensor((across, along)))
    crops, points = torch.rand(1, 3, 224, 224), torch.tensor([[[0.6, 0.4], [0.4, 0.4], [0.5, 0.7]]])
    # The right eye is read in the mirror: what is outward for the left one is outward for it too.
    moved = torch.tensor([[[0.03, 0.06], [-0.03, 0.06], [-0.03, 0.0]]])
    torch.testing.assert_close(finder.look_closer(crops, points), points + moved)
    turned, there = _turned(crops, points, angle_rad=0.5, zoom=1.2)
    expected = _turned(crops, points + moved, angle_rad=0.5, zoom=1.2)[1]
    torch.testing.assert_close(finder.look_closer(turned, there), expected)


def test_before_it_learns_it_looks_where_faces_usually_are() -> None:
    torch.manual_seed(0)
    points = FaceMotionEncoder(TINY).find(torch.rand(4, 3, 224, 224))
    assert points.shape == (4, 3, 2)
    assert (points - torch.tensor([[0.62, 0.42], [0.38, 0.42], [0.50, 0.70]])).abs().max() < 0.15


def test_the_expression_head_reads_52_units() -> None:
    assert ExpressionHead(16)(torch.randn(4, 16)).shape == (4, 52)


def test_face_tokens_have_the_encoder_s_width() -> None:
    assert FaceMLP(16)(torch.randn(2, 5, 16)).shape == (2, 5, 16)
