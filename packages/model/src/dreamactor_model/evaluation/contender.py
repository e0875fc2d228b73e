"""Who competes on a scene: every variant of the model, and every baseline, by one interface.

Legend: T video frames, R references, H W canvas.
"""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from dreamactor_core.errors import WeightsError
from dreamactor_core.settings import Settings
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_core.settings.signals import Guidance
from dreamactor_signals.draw import control_maps

from dreamactor_model.animate.frames import make_frames
from dreamactor_model.animate.loaded import LoadedModel, fineness_of
from dreamactor_model.animate.references import encode_references
from dreamactor_model.animate.subject import Subject
from dreamactor_model.animate.views import with_made_views
from dreamactor_model.checkpoint import read_about
from dreamactor_model.evaluation.suites.scenes import Scene
from dreamactor_model.evaluation.suites.table import Variant
from dreamactor_model.evaluation.unavailable import Unavailable
from dreamactor_model.sampling.stream import MotionArrays


class Contender(Protocol):
    """Animates a person."""

    def animate(self, scene: Scene) -> np.ndarray:
        """(T, H, W, 3) uint8: the person of the scene's references gives its performance."""
        ...


class ModelContender:
    """A variant of the model: what it is shown, and how.

    Args:
        model: with the variant's weights.
        sampling: of every video.
        guidance: what control maps show.

    Raises:
        Unavailable: the model was trained with one reference, and the variant shows several.
    """

    def __init__(self, model: LoadedModel, variant: Variant, sampling: SamplingSettings, guidance: Guidance) -> None:
        if variant.references != "one" and model.max_references < 2:
            raise Unavailable("the model was trained with one reference: raise dataset.sampling.max_references")
        self._model = model if variant.refined else replace(model, refiner=None)
        self._variant, self._sampling, self._guidance = variant, sampling, guidance

    @property
    def weights_sha256(self) -> str:
        """Of the manifest that covers them."""
        return str(self._model.about["manifest_sha256"])

    def animate(self, scene: Scene) -> np.ndarray:
        """(T, H, W, 3) uint8."""
        track = scene.driving if self._variant.adjust_lengths else scene.driving_not_adjusted
        crops_THWC = scene.face_crops_THWC if self._variant.face else None
        motion = MotionArrays(control_maps(track, scene.size, self._guidance), crops_THWC, track=track)
        references = encode_references(self._model, self._subject(scene), self._guidance)
        return np.stack(list(make_frames(self._model, references, motion, self._sampling)))

    def _subject(self, scene: Scene) -> Subject:
        most = self._model.max_references
        shown = most if self._variant.references == "several" else 1
        subject = Subject(
            scene.references_RHWC[:shown],
            scene.reference,
            scene.size,
            (Path(scene.name),),
            others=scene.others[: shown - 1],
        )
        if self._variant.references != "made":
            return subject
        return with_made_views(self._model, subject, self._sampling, self._guidance, count=most - 1)


def load_contender(
    variant: Variant, checkpoint: Path, settings: Settings, sampling: SamplingSettings
) -> ModelContender:
    """The model of a variant.

    Args:
        checkpoint: the folder that is evaluated. Its canvas is the scenes': coarser frames of a variant's own weights
            are enlarged to it.

    Raises:
        Unavailable: the variant needs other weights, which are not there or were trained in another way.
        WeightsError: the checkpoint that is evaluated is damaged or does not fit the settings.
    """
    guidance = variant.guidance or settings.signals.guidance
    if variant.weights is None:
        return ModelContender(_load(checkpoint, settings, guidance), variant, sampling, guidance)
    folder = Path(settings.training.models_dir, variant.weights)
    try:
        model = _load(folder, settings, guidance)
    except WeightsError as problem:
        raise Unavailable(f"{folder}: {problem.problem}; train it with: {variant.training}") from problem
    model = replace(model, fineness=fineness_of(read_about(checkpoint)))
    return ModelContender(model, variant, sampling, guidance)


def _load(folder: Path, settings: Settings, guidance: Guidance) -> LoadedModel:
    """A model that knows these control maps: others would be noise to it."""
    model = LoadedModel.load(folder, settings)
    # Weights from before this was written down learned from spheres.
    learned = model.about.get("guidance", "sphere")
    if learned != guidance:
        raise WeightsError(
            f"it learned from control maps of kind {learned}, not {guidance}",
            path=folder,
            remedy=f"Add --set signals.guidance={learned}",
        )
    return model
