"""Which clip, which window, which references, in which order: a pure function of (seed, epoch, position).

The sequence of batches is one endless list. Ranks take slices of it and a resumed run goes on at an index, so neither
the number of ranks nor of workers, nor a kill, changes what is shown (design 5, Batching).

An epoch shows every clip once. Each clip is given a random window length; clips of one frame size are sorted by it and
cut into batches, all of which share the shortest length of their members, so that a batch is one rectangular tensor.
Batches of like cost are dealt out in a row, so that ranks that work side by side finish together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.settings.dataset import SamplingDataSettings

from dreamactor_dataset.clip_table import ClipTable

LATENT_STRIDE = 4
"""Video frames in one latent frame, after the first."""

_HALF_BODY_SLOT = 3
# Names of the independent random streams.
_PLAN, _BATCH, _DRAW = range(3)


@dataclass(frozen=True)
class Draw:
    """One training sample, before any pixel is read.

    Attributes:
        clip_index: row of the clip table.
        epoch: how often every clip was shown before.
        position: place in the epoch's sequence.
        start: first frame of the window; 0, or a multiple of 4 when carried.
        frame_count: frames of the window, 4n+1.
        size: width and height of the training frames.
        carried: the window starts inside its clip. Its first latent covers frames start-3..start and is given clean, as
            the last latent of the segment before is at inference (design 5, Long video).
        reference_frames: frames of the clip shown whole as references.
        half_body_frame: frame shown as a half-body crop, or None.
        drop_reference: train this sample without references.
        drop_motion: train this sample without control maps and face tokens.
        use_truth: take the true track, not the tracked one.
    """

    clip_index: int
    epoch: int
    position: int
    start: int
    frame_count: int
    size: tuple[int, int]
    carried: bool
    reference_frames: tuple[int, ...]
    half_body_frame: int | None
    drop_reference: bool
    drop_motion: bool
    use_truth: bool

    @property
    def reference_count(self) -> int:
        """References of the sample, the half-body crop included; equal within a batch."""
        return len(self.reference_frames) + (self.half_body_frame is not None)


@dataclass(frozen=True, eq=False)
class _EpochPlan:
    """The order of one epoch: batch b holds clips[offsets[b]:offsets[b + 1]] at frame_counts[b]."""

    clips: np.ndarray
    offsets: np.ndarray
    frame_counts: np.ndarray


class WindowSampler:
    """Draws training windows.

    Args:
        clips: the clips of one split.
        settings: lengths, shares and numbers of references.
        seed: equal seeds give equal sequences.
        batch_size: samples in a batch of one rank; the last batch of a frame size may hold fewer.

    Raises:
        InputError: a clip is shorter than `settings.min_frames`.
    """

    def __init__(self, clips: ClipTable, settings: SamplingDataSettings, *, seed: int, batch_size: int) -> None:
        if clips.lengths.min() < settings.min_frames:
            raise InputError(
                f"a clip has {clips.lengths.min()} frames, training windows have at least {settings.min_frames}",
                remedy="Lower dataset.sampling.min_frames, or raise dataset.ingest.min_frames and ingest again",
            )
        self._clips, self._settings, self._seed, self._batch_size = clips, settings, seed, batch_size
        _, self._bucket_of_clip = np.unique(clips.sizes, axis=0, return_inverse=True)
        members = np.bincount(self._bucket_of_clip)
        self.batches_per_epoch = int(np.ceil(members / batch_size).sum())
        self._planned: tuple[int, _EpochPlan] | None = None

    def batch(self, index: int) -> tuple[Draw, ...]:
        """The batch at an index of the endless sequence. All its draws share size, frame count and reference count."""
        epoch, number = divmod(index, self.batches_per_epoch)
        plan = self._plan(epoch)
        reference_count = int(
            self._random(_BATCH, epoch, number).integers(
                self._settings.min_references, self._settings.max_references, endpoint=True
            )
        )
        return tuple(
            self._draw(epoch, position, int(plan.clips[position]), int(plan.frame_counts[number]), reference_count)
            for position in range(plan.offsets[number], plan.offsets[number + 1])
        )

    def stream(self, *, rank: int = 0, world: int = 1, consumed: int = 0) -> Iterator[tuple[Draw, ...]]:
        """The endless batches of one rank.

        Args:
            rank, world: this rank takes every world-th batch.
            consumed: batches that all ranks together have finished; what a checkpoint keeps, whatever its world was.
        """
        if not 0 <= rank < world or consumed < 0:
            raise InputError(f"rank {rank} of {world} after {consumed} batches makes no sense")
        index = consumed + rank
        while True:
            yield self.batch(index)
            index += world

    def _random(self, stream: int, epoch: int, position: int) -> np.random.Generator:
        key = np.random.SeedSequence((self._seed, stream, epoch, position))
        return np.random.Generator(np.random.Philox(key))

    def _plan(self, epoch: int) -> _EpochPlan:
        if self._planned is None or self._planned[0] != epoch:
            self._planned = (epoch, self._make_plan(epoch))
        return self._planned[1]

    def _make_plan(self, epoch: int) -> _EpochPlan:
        random = self._random(_PLAN, epoch, 0)
        wanted = self._window_lengths(random)
        shuffled = random.permutation(len(self._clips))
        order = shuffled[np.lexsort((wanted[shuffled], self._bucket_of_clip[shuffled]))]
        starts = self._batch_starts()
        ends = np.append(starts[1:], len(order))
        # Sorted by length within a size, so the first clip of a batch is the shortest.
        frame_counts = wanted[order[starts]]
        pixels = self._clips.sizes[order[starts]].prod(axis=1)
        dealt = _deal(frame_counts * pixels * (ends - starts), self._settings.deal, random)
        clips = np.concatenate([order[starts[batch] : ends[batch]] for batch in dealt])
        offsets = np.concatenate([[0], np.cumsum((ends - starts)[dealt])])
        return _EpochPlan(clips, offsets, frame_counts[dealt])

    def _window_lengths(self, random: np.random.Generator) -> np.ndarray:
        """(N,) a random 4n+1 for each clip, within the settings and the clip."""
        longest = np.minimum(self._clips.lengths, self._settings.max_frames)
        fewest, most = (self._settings.min_frames - 1) // LATENT_STRIDE, (longest - 1) // LATENT_STRIDE
        return LATENT_STRIDE * random.integers(fewest, most, endpoint=True) + 1

    def _batch_starts(self) -> np.ndarray:
        """Where batches begin in an order sorted by frame size; the same in every epoch."""
        members = np.bincount(self._bucket_of_clip)
        firsts = np.cumsum(members) - members
        return np.concatenate(
            [np.arange(first, first + count, self._batch_size) for first, count in zip(firsts, members, strict=True)]
        )

    def _draw(self, epoch: int, position: int, clip: int, frame_count: int, reference_count: int) -> Draw:
        random = self._random(_DRAW, epoch, position)
        carried_uniform, reference_uniform, motion_uniform, truth_uniform = random.random(4)
        latest_carried = int(self._clips.lengths[clip] - frame_count) // LATENT_STRIDE
        carried = bool(carried_uniform < self._settings.carried_share) and latest_carried > 0
        start = LATENT_STRIDE * int(random.integers(1, latest_carried, endpoint=True)) if carried else 0
        reference_frames, half_body_frame = self._references(clip, reference_count, random)
        width, height = self._clips.sizes[clip]
        return Draw(
            clip_index=clip,
            epoch=epoch,
            position=position,
            start=start,
            frame_count=frame_count,
            size=(int(width), int(height)),
            carried=carried,
            reference_frames=reference_frames,
            half_body_frame=half_body_frame,
            drop_reference=bool(reference_uniform < self._settings.drop_reference),
            drop_motion=bool(motion_uniform < self._settings.drop_motion),
            use_truth=self._use_truth(clip, truth_uniform),
        )

    def _references(self, clip: int, count: int, random: np.random.Generator) -> tuple[tuple[int, ...], int | None]:
        """`count` of the yaw frames and, in full-body clips, the half-body crop of a random frame (paper 3.3)."""
        slots = _HALF_BODY_SLOT + int(self._clips.full_body[clip])
        chosen = np.sort(random.choice(slots, size=count, replace=False))
        frames = tuple(int(self._clips.yaw_frames[clip, slot]) for slot in chosen if slot != _HALF_BODY_SLOT)
        half_body_frame = int(random.integers(self._clips.lengths[clip])) if _HALF_BODY_SLOT in chosen else None
        return frames, half_body_frame

    def _use_truth(self, clip: int, uniform: float) -> bool:
        if self._clips.has_truth[clip] and self._clips.has_track[clip]:
            return bool(uniform < self._settings.truth_share)
        return bool(self._clips.has_truth[clip])


def _deal(cost: np.ndarray, group: int, random: np.random.Generator) -> np.ndarray:
    """An order of the batches: groups of like cost, the groups shuffled.

    A group that is not full comes last, so that all others start at a multiple of `group`.
    """
    by_cost = np.lexsort((random.random(len(cost)), cost))
    full = len(by_cost) // group * group
    # The left-over batches are taken anywhere, else the dearest would always end the epoch.
    left_over = np.sort(random.choice(len(by_cost), size=len(by_cost) - full, replace=False))
    groups = np.delete(by_cost, left_over).reshape(-1, group)
    return np.concatenate([random.permutation(groups, axis=0).ravel(), by_cost[left_over]])
