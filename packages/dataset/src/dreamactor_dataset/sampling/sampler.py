"""The endless list of training batches.

Ranks take slices of it and a resumed run goes on at an index, so neither the number of ranks nor of workers, nor a
kill, changes what is shown (design 5).
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.memory import release_freed
from dreamactor_core.settings.dataset import SamplingDataSettings

from dreamactor_dataset.clip_table import ClipTable
from dreamactor_dataset.sampling.draw import LATENT_STRIDE, Draw
from dreamactor_dataset.sampling.plan import EpochPlan, batches_of, make_plan
from dreamactor_dataset.sampling.shown import Shown

_HALF_BODY_SLOT = 3
# Names of the independent random streams.
_PLAN, _SHOWN, _DRAW, _SUBSTITUTE = range(4)


class WindowSampler:
    """Draws training windows.

    Args:
        clips: the clips of one split, with the weight of each.
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
        self._shown = Shown.of(clips, self._random(_SHOWN, 0, 0))
        self.batches_per_epoch = batches_of(self._shown.counts, batch_size)
        self._planned: tuple[int, EpochPlan] | None = None

    def batch(self, index: int) -> tuple[Draw, ...]:
        """The batch at an index of the endless list. All its draws share size, frame count and reference count."""
        epoch, number = divmod(index, self.batches_per_epoch)
        plan = self._plan(epoch)
        frame_count, reference_count = int(plan.frame_counts[number]), int(plan.reference_counts[number])
        return tuple(
            self._draw(epoch, position, int(plan.clips[position]), frame_count, reference_count)
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

    def substitute(self, draw: Draw, attempt: int) -> Draw:
        """What is shown in the place of a draw whose clip cannot be read; fits into the same batch.

        Args:
            draw: as the sampler made it.
            attempt: from 0, for clips that cannot be read either.
        """
        random = self._random(_SUBSTITUTE, draw.epoch, draw.position, attempt)
        bucket = self._clips.buckets[draw.clip_index]
        fits = (self._clips.buckets == bucket) & (self._clips.lengths >= draw.frame_count)
        others = np.flatnonzero(fits)
        clip = int(random.choice(others))
        made = self._windowed(draw.epoch, draw.position, clip, draw.frame_count, draw.reference_count, random)
        return replace(made, drop_reference=draw.drop_reference, drop_motion=draw.drop_motion)

    def _random(self, stream: int, epoch: int, *place: int) -> np.random.Generator:
        key = np.random.SeedSequence((self._seed, stream, epoch, *place))
        return np.random.Generator(np.random.Philox(key))

    def _plan(self, epoch: int) -> EpochPlan:
        planned = self._planned
        if planned is None or planned[0] != epoch:
            # The old one goes first: both together would be twice the memory.
            planned = self._planned = None
            planned = self._planned = (epoch, self._make_plan(epoch))
            release_freed()
        return planned[1]

    def _make_plan(self, epoch: int) -> EpochPlan:
        offset = self._random(_SHOWN, 0, 1).random()
        shown = self._shown.clips(self._clips, epoch, offset)
        first_index = epoch * self.batches_per_epoch
        return make_plan(
            self._clips,
            shown,
            self._shown.counts,
            self._settings,
            self._batch_size,
            first_index,
            self._random(_PLAN, epoch, 0),
        )

    def _draw(self, epoch: int, position: int, clip: int, frame_count: int, reference_count: int) -> Draw:
        random = self._random(_DRAW, epoch, position)
        return self._windowed(epoch, position, clip, frame_count, reference_count, random)

    def _windowed(
        self,
        epoch: int,
        position: int,
        clip: int,
        frame_count: int,
        reference_count: int,
        random: np.random.Generator,
    ) -> Draw:
        carried_uniform, reference_uniform, motion_uniform, truth_uniform = random.random(4)
        latest_inside = int(self._clips.lengths[clip] - frame_count) // LATENT_STRIDE
        carried = bool(carried_uniform < self._settings.carried_share) and latest_inside > 0
        start = LATENT_STRIDE * int(random.integers(1, latest_inside, endpoint=True)) if carried else 0
        reference_frames, half_body_frame = self._references(clip, reference_count, random)
        augmentation = int(random.integers(2**32))
        if not carried and latest_inside > 0 and self._settings.inside_share > random.random():
            start = LATENT_STRIDE * int(random.integers(0, latest_inside, endpoint=True))
        return Draw(
            clip_index=clip,
            epoch=epoch,
            position=position,
            start=start,
            frame_count=frame_count,
            size=self._clips.size(clip),
            carried=carried,
            reference_frames=reference_frames,
            half_body_frame=half_body_frame,
            drop_reference=bool(reference_uniform < self._settings.drop_reference),
            drop_motion=bool(motion_uniform < self._settings.drop_motion),
            use_truth=self._use_truth(clip, truth_uniform),
            augmentation=augmentation,
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
