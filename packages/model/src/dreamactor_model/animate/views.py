"""Pseudo-references: the first pass of two-stage inference makes the person seen from other sides (paper 3.3).

The model animates the one reference with a motion that turns the person; of the made clip, the views that training
would choose join the reference. Their yaw is the one that was asked for: a tracker would read it worse from a picture
that the model drew than the motion states it. They join as images: a latent inside a clip stands for four frames and
for all that came before, while a reference is a clip of one frame.

Legend: K views, H W canvas.
"""

from dataclasses import replace

import numpy as np
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_core.settings.signals import Guidance
from dreamactor_signals.views import head_yaw_rad, pick_complement, turning_views

from dreamactor_model.animate.frames import show_frames
from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.animate.motion import TrackMotion
from dreamactor_model.animate.references import encode_references
from dreamactor_model.animate.subject import MadeView, Subject


def with_made_views(
    model: LoadedModel, subject: Subject, sampling: SamplingSettings, guidance: Guidance, *, count: int
) -> Subject:
    """The subject with views that the model made of it, the most different ones first.

    Args:
        count: how many at most; there are three to choose from, of greatest, least and median yaw.

    Raises:
        InputError: the reference shows neither head nor shoulders.
    """
    track = turning_views(subject.track, sampling.segment_frames, np.radians(sampling.view_yaw_deg))
    motion = TrackMotion(track, subject.size, guidance, own_face=subject.face_crop())
    yaw_rad = head_yaw_rad(track)
    chosen = pick_complement(yaw_rad, float(head_yaw_rad(subject.track)[0]), count).tolist()
    references = encode_references(model, subject, guidance)
    frames = show_frames(model, references, motion, sampling, "sampling other views")
    made = {index: frame for index, frame in enumerate(frames) if index in chosen}
    views = tuple(MadeView(index, round(float(np.degrees(yaw_rad[index])), 1)) for index in chosen)
    images_KHWC = np.stack([made[index] for index in chosen])
    return replace(
        subject,
        images_RHWC=np.concatenate([subject.images_RHWC, images_KHWC]),
        others=(*subject.others, *(track[index : index + 1] for index in chosen)),
        views=views,
    )
