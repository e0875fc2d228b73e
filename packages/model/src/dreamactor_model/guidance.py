"""Nested dual guidance: first toward the references, then, given them, toward the motion (paper 4.1; both 2.5).

v = v(0,0) + s_ref [v(r,0) - v(0,0)] + s_motion [v(r,m) - v(r,0)]
  = (1 - s_ref) v(0,0) + (s_ref - s_motion) v(r,0) + s_motion v(r,m)

Only terms whose weight is not zero are evaluated, all in one batched call: 1 and 1 cost one evaluation, two equal
scales two.

Legend: B batch, F latent frames, C channels, H W latent rows and columns, K guidance terms.
"""

from dataclasses import dataclass

from torch import Tensor

from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions, stack


@dataclass(frozen=True)
class GuidanceScales:
    """How far to move along each difference; 1 and 1 is the plain conditional velocity."""

    reference: float
    motion: float

    def terms(self, conditions: Conditions) -> list[tuple[float, Conditions]]:
        """Weight and conditions of every evaluation that counts."""
        still = conditions.without_motion()
        weighted = [
            (1.0 - self.reference, still.without_reference()),
            (self.reference - self.motion, still),
            (self.motion, conditions),
        ]
        return [(weight, term) for weight, term in weighted if weight != 0.0]


def guided_velocity(
    actor: DreamActor, latents_BCFHW: Tensor, timesteps_BF: Tensor, conditions: Conditions, scales: GuidanceScales
) -> Tensor:
    """The guided velocity (B, C, F, H, W), by one call of the model on all terms at once."""
    terms = scales.terms(conditions)
    batch = stack([term for _, term in terms])
    count = len(terms)
    velocities = actor(
        latents_BCFHW.repeat(count, 1, 1, 1, 1),
        timesteps_BF.repeat(count, 1),
        batch.references_BRCHW,
        batch.pose_BCFHW,
        batch.face_BTC,
    ).chunk(count)
    weighted = [weight * velocity for (weight, _), velocity in zip(terms, velocities, strict=True)]
    return sum(weighted[1:], start=weighted[0])
