"""Nested dual guidance: first toward the references, then, given them, toward the motion (paper 4.1).

v = v(0,0) + s_ref [v(r,0) - v(0,0)] + s_motion [v(r,m) - v(r,0)]
  = (1 - s_ref) v(0,0) + (s_ref - s_motion) v(r,0) + s_motion v(r,m)

Only terms whose weight is not zero are evaluated, all in one batched call: 1 and 1 cost one evaluation, two equal
scales two.

Legend: B batch, F latent frames, C channels, H W latent rows and columns, K guidance terms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from dreamactor_core.settings.sampling import SamplingSettings
from torch import Tensor

from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions, stack
from dreamactor_model.dit.step_cache import StepCache

PAPER_SCALE = 2.5
"""Of both, where neither the settings nor the weights say another."""


@dataclass(frozen=True)
class GuidanceScales:
    """How far to move along each difference; 1 and 1 is the plain conditional velocity."""

    reference: float
    motion: float

    @classmethod
    def chosen(cls, settings: SamplingSettings) -> Self:
        """As the settings say, the paper's where they do not."""
        said = (settings.guidance_reference, settings.guidance_motion)
        return cls(*(PAPER_SCALE if scale is None else scale for scale in said))

    def terms(self, conditions: Conditions) -> list[tuple[float, Conditions]]:
        """Weight and conditions of every evaluation that counts, the most conditioned last."""
        still = conditions.without_motion()
        weighted = [
            (1.0 - self.reference, still.without_reference()),
            (self.reference - self.motion, still),
            (self.motion, conditions),
        ]
        return [(weight, term) for weight, term in weighted if weight != 0.0]


class GuidedVelocity:
    """The guided velocity of one segment, step by step; what its steps share is prepared once.

    Outside the guidance interval the scales are 1. Within it, `guidance_every` above 1 approximates: between full
    evaluations only the last term is evaluated, and the difference that guidance made to it is kept.
    """

    def __init__(self, actor: DreamActor, conditions: Conditions, settings: SamplingSettings) -> None:
        self._actor, self._conditions, self._settings = actor, conditions, settings
        self._scales = GuidanceScales.chosen(settings)
        self._guided_steps = 0
        self._difference: Tensor | None = None

    def __call__(self, latents_BCFHW: Tensor, timesteps_BF: Tensor, noise_level: float) -> Tensor:
        """(B, C, F, H, W) at the next step.

        Args:
            timesteps_BF: of each latent frame; 0 for carried ones.
            noise_level: of the frames that are made, in [0, 1].
        """
        lowest, highest = self._settings.guidance_interval
        if not lowest <= noise_level <= highest:
            return self._plain(latents_BCFHW, timesteps_BF)[-1]
        full = self._guided_steps % self._settings.guidance_every == 0
        self._guided_steps += 1
        if not full and self._difference is not None:
            return self._last_term(latents_BCFHW, timesteps_BF)[-1] + self._difference
        velocities = self._guided(latents_BCFHW, timesteps_BF)
        guided = self._guided.weigh(velocities)
        self._difference = guided - velocities[-1]
        return guided

    @cached_property
    def _guided(self) -> "_Terms":
        return self._prepared(self._scales.terms(self._conditions))

    @cached_property
    def _last_term(self) -> "_Terms":
        return self._prepared(self._scales.terms(self._conditions)[-1:])

    @cached_property
    def _plain(self) -> "_Terms":
        return self._prepared([(1.0, self._conditions)])

    def _prepared(self, terms: Sequence[tuple[float, Conditions]]) -> "_Terms":
        threshold = self._settings.step_cache_threshold
        return _Terms(self._actor, terms, StepCache(threshold) if threshold else None)


class _Terms:
    """Some terms, evaluated in one call of the model."""

    def __init__(self, actor: DreamActor, terms: Sequence[tuple[float, Conditions]], cache: StepCache | None) -> None:
        self._actor, self._cache = actor, cache
        self._weights = [weight for weight, _ in terms]
        self._constants = actor.prepare(stack([term for _, term in terms]))

    def __call__(self, latents_BCFHW: Tensor, timesteps_BF: Tensor) -> tuple[Tensor, ...]:
        """The velocity of each."""
        count = len(self._weights)
        latents, timesteps = latents_BCFHW.repeat(count, 1, 1, 1, 1), timesteps_BF.repeat(count, 1)
        return self._actor.denoise(latents, timesteps, self._constants, self._cache).chunk(count)

    def weigh(self, velocities: Sequence[Tensor]) -> Tensor:
        """Their weighted sum."""
        weighted = [weight * velocity for weight, velocity in zip(self._weights, velocities, strict=True)]
        return sum(weighted[1:], start=weighted[0])
