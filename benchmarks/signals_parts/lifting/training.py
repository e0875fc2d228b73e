"""Train the lifting networks: bones should point where they point.

Legend: N samples, L = 16 lifted joints, S = 2 sides, B kinds of limbs, F features, D = 18 body joints.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from dreamactor_core.console import say
from dreamactor_core.skeleton import BODY_JOINTS, BONES, LIMB_BONES, joint_index
from dreamactor_signals.trackers.embedded.lifting import hanging
from torch import Tensor, nn

from benchmarks.signals_parts.lifting.samples import JOINT_OF_LIFTED, Samples

_DROPOUT = 0.25
_EPOCHS, _BATCH, _RATE, _DECAY = 16, 128, 1e-3, 0.05
_AVERAGED = 0.99
_NOISE = 0.15
# Lines whose direction counts: how much those of long limbs, of the rest, and of what lies outside the frame.
_LIMBS = ("upper_arm", "forearm", "thigh", "shin")
_REST_SHARE, _OUTSIDE_SHARE = 0.4, 0.15
_LENGTHS_SHARE, _SHIFT_SHARE = 0.3, 0.5
_LEAST_SPREAD = 0.02

_LINES = np.concatenate(
    [
        BONES[BONES[:, 1] < BODY_JOINTS.stop],
        [(joint_index(f"right_{end}"), joint_index(f"left_{end}")) for end in ("hip", "shoulder")],
    ]
)
_LONG = np.isin(np.arange(len(_LINES)), np.concatenate([LIMB_BONES[limb] for limb in _LIMBS]))


class Network(nn.Module):
    """As `Lifting` computes it, on features of unit variance."""

    def __init__(self, limbs: int, features: int, width: int) -> None:
        super().__init__()
        sizes = (features, width, width, 3)
        spreads = [*np.sqrt(2 / np.array(sizes[:-2])), 0.0]
        self.weights = nn.ParameterList(
            spread * torch.randn(limbs, before, after)
            for spread, before, after in zip(spreads, sizes[:-1], sizes[1:], strict=True)
        )
        self.biases = nn.ParameterList(torch.zeros(limbs, after) for after in sizes[1:])
        self.register_buffer("hanging", torch.from_numpy(hanging()).float())
        self.register_buffer("mirror", torch.tensor([[[1.0, 1.0, 1.0]], [[-1.0, 1.0, 1.0]]]))

    def forward(self, features: Tensor) -> Tensor:
        """(N, L, 3) metres from (N, S, B, F)."""
        values = features
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = torch.einsum("nsbf,bfh->nsbh", values, weight) + bias
            if layer < len(self.weights) - 1:
                values = nn.functional.dropout(torch.relu(values), _DROPOUT, self.training)
        return torch.einsum("nsbx,sbl->nlx", values * self.mirror, self.hanging)


Layer = tuple[np.ndarray, np.ndarray]
"""Weights (B, in, out) and biases (B, out)."""


@dataclass(frozen=True)
class Batch:
    """Tensors of `Samples`, of the same names."""

    features: Tensor
    rays: Tensor
    depths_m: Tensor
    root_m: Tensor
    joints_cam_m: Tensor
    inside: Tensor

    @classmethod
    def of(cls, samples: Samples) -> "Batch":
        return cls(*(torch.from_numpy(np.asarray(getattr(samples, name))) for name in cls.__dataclass_fields__))

    def __getitem__(self, chosen: Tensor) -> "Batch":
        return Batch(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    def placed_m(self, corrections_m: Tensor | None) -> Tensor:
        """(N, D, 3) joints in camera space as the tracker would place them."""
        shift = torch.zeros(len(self.rays), len(JOINT_OF_LIFTED), 3) if corrections_m is None else corrections_m
        depth_m = (self.root_m[:, None] + self.depths_m + shift[..., 2]).clamp_min(0.15)
        across_m = (self.rays + shift[..., :2] / self.root_m[:, None, None]) * depth_m[..., None]
        joints = torch.zeros(len(depth_m), BODY_JOINTS.stop, 3)
        joints[:, JOINT_OF_LIFTED] = torch.cat([across_m, depth_m[..., None]], -1)
        for middle, end in (("pelvis", "hip"), ("neck", "shoulder")):
            left, right = joint_index(f"left_{end}"), joint_index(f"right_{end}")
            joints[:, joint_index(middle)] = (joints[:, left] + joints[:, right]) / 2
        return joints


def train(training: Samples, validation: Samples, seed: int, *, width: int) -> list[Layer]:
    """Weights (in, out) and biases of the layers, for features as they come.

    What is kept is the running mean of the weights at the end; validation is only told.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    mean = training.features.mean(axis=(0, 1))
    spread = training.features.std(axis=(0, 1)).clip(_LEAST_SPREAD)
    batch, judged = (_standardized(Batch.of(samples), mean, spread) for samples in (training, validation))
    limbs, features = mean.shape
    network = Network(limbs, features, width)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
    steps = _EPOCHS * -(-len(batch.rays) // _BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    averaged = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(_AVERAGED)
    )
    say(f"{len(batch.rays)} samples; {_told(judged, None, validation.framing)} as read")
    for epoch in range(_EPOCHS):
        losses = []
        for chosen in torch.randperm(len(batch.rays)).split(_BATCH):
            part = batch[chosen]
            loss = loss_of(network(part.features + _NOISE * torch.randn_like(part.features)), part)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            averaged.update_parameters(network)
            losses.append(loss.item())
        if epoch % 4 == 3:
            say(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}; {_told(judged, averaged.module, validation.framing)}")
    return list(_folded(averaged.module, mean, spread))


def side_by_side(places: list[Layer], depths: list[Layer]) -> list[Layer]:
    """One network that says what the first says across the picture and down, and what the second says away."""
    joined = []
    last = len(places) - 1
    for number, ((weight, bias), (other_weight, other_bias)) in enumerate(zip(places, depths, strict=True)):
        if number == last:
            weight, other_weight = weight * (1, 1, 0), other_weight * (0, 0, 1)
            joined.append((np.concatenate([weight, other_weight], 1), bias * (1, 1, 0) + other_bias * (0, 0, 1)))
        elif number == 0:
            joined.append((np.concatenate([weight, other_weight], 2), np.concatenate([bias, other_bias], 1)))
        else:
            joined.append((_block_diagonal(weight, other_weight), np.concatenate([bias, other_bias], 1)))
    return joined


def _block_diagonal(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(B, H1 + H2, H1 + H2) of (B, H1, H1) and (B, H2, H2)."""
    right = np.zeros((len(first), first.shape[1], second.shape[2]))
    left = np.zeros((len(first), second.shape[1], first.shape[2]))
    return np.concatenate([np.concatenate([first, right], 2), np.concatenate([left, second], 2)], 1)


def loss_of(corrections_m: Tensor, batch: Batch) -> Tensor:
    """Mean distance of unit directions, with what lengths are out of proportion and how far points were shifted."""
    ours, true = (_lines(joints) for joints in (batch.placed_m(corrections_m), batch.joints_cam_m))
    inside = batch.inside[:, _LINES].all(-1)
    weights = torch.where(inside, 1.0, _OUTSIDE_SHARE) * torch.where(torch.from_numpy(_LONG), 1.0, _REST_SHARE)
    directions = (_unit(ours) - _unit(true)).norm(dim=-1)
    ratio = torch.log(ours.norm(dim=-1).clamp_min(1e-3) / true.norm(dim=-1).clamp_min(1e-3))
    lengths = (ratio - ratio.median(dim=1, keepdim=True).values.detach()).abs().clamp_max(1.0)
    total = (weights * (directions + _LENGTHS_SHARE * lengths)).sum() / weights.sum()
    return total + _SHIFT_SHARE * corrections_m.square().mean()


def angles_deg(corrections_m: Tensor | None, batch: Batch) -> Tensor:
    """(N, lines) between lines and the true ones."""
    ours, true = (_lines(joints) for joints in (batch.placed_m(corrections_m), batch.joints_cam_m))
    return torch.rad2deg(torch.atan2(torch.linalg.cross(ours, true).norm(dim=-1), (ours * true).sum(-1)))


def _told(batch: Batch, network: nn.Module | None, framing: np.ndarray) -> str:
    """Mean angles of the long limbs that lie in the frame, by framing."""
    with torch.no_grad():
        if network is not None:
            network.eval()
        error = angles_deg(None if network is None else network(batch.features), batch)
    counts = batch.inside[:, _LINES].all(-1) & torch.from_numpy(_LONG)
    means = [error[counts & torch.from_numpy(framing == kind)[:, None]].mean().item() for kind in range(3)]
    return "validation {:.1f} / {:.1f} / {:.1f} degrees full / half / portrait".format(*means)


def _folded(network: Network, mean: np.ndarray, spread: np.ndarray) -> Iterator[Layer]:
    """The layers, the first one for features (B, F) that were not brought to unit variance."""
    for layer, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True)):
        weight, bias = weights.detach().double().numpy(), biases.detach().double().numpy()
        if layer == 0:
            weight = weight / spread[..., None]
            bias = bias - np.einsum("bf,bfh->bh", mean, weight)
        yield weight, bias


def _standardized(batch: Batch, mean: np.ndarray, spread: np.ndarray) -> Batch:
    features = (batch.features - torch.from_numpy(mean)) / torch.from_numpy(spread)
    return Batch(features.float(), *(getattr(batch, name) for name in list(batch.__dataclass_fields__)[1:]))


def _lines(joints_m: Tensor) -> Tensor:
    ends = joints_m[:, _LINES]
    return ends[:, :, 1] - ends[:, :, 0]


def _unit(vectors: Tensor) -> Tensor:
    return nn.functional.normalize(vectors, dim=-1, eps=1e-6)
