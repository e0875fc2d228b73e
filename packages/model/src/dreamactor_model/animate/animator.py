"""`Animator`: a loaded model that makes one video after another (paper Fig. 3).

Legend: R references, T video frames, C channels, H W canvas.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Self

import torch
from dreamactor_core.console import say
from dreamactor_core.errors import InputError, SettingsError
from dreamactor_core.files import atomic_path
from dreamactor_core.provenance import Ingredient, Record, write_sidecar
from dreamactor_core.provenance.signing import sign_video
from dreamactor_core.settings import Settings
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_core.video import VideoWriter
from dreamactor_signals.extraction import extract_video
from dreamactor_signals.retarget import load_standardizer, retarget
from dreamactor_signals.trackers import Tracker, make_tracker

from dreamactor_model.animate.address import content_address
from dreamactor_model.animate.frames import show_frames
from dreamactor_model.animate.loaded import LoadedModel, as_trained
from dreamactor_model.animate.motion import DrivenMotion, TrackMotion
from dreamactor_model.animate.references import encode_references
from dreamactor_model.animate.request import AnimateRequest, AnimateResult
from dreamactor_model.animate.sheet import SheetRows
from dreamactor_model.animate.speech import SpeechDriver, Spoken, held_pose
from dreamactor_model.animate.subject import Subject, read_subject
from dreamactor_model.animate.views import with_made_views
from dreamactor_model.encoders.audio import AUDIO_FPS

# Of the canvas a style image is laid on: its face is all that is looked at.
_STYLE_AREA = 512 * 512


class Animator:
    """Animates people with one model; loading happens once.

    Args:
        tracker: of driving videos.
        reference_tracker: of references; apart because the person asked for by number or box is one of the video's.
    """

    def __init__(self, model: LoadedModel, tracker: Tracker, reference_tracker: Tracker, settings: Settings) -> None:
        self._model, self._tracker, self._settings = model, tracker, settings
        self._reference_tracker = reference_tracker

    @classmethod
    def from_checkpoint(cls, folder: Path, settings: Settings) -> Self:
        """Load a finished stage and the tracker that the settings name.

        Raises:
            WeightsError: either is missing or does not fit.
        """
        model, tracker = LoadedModel.load(folder, settings), make_tracker(settings.signals)
        anybody = settings.signals.model_copy(update={"person": None, "person_box_px": None})
        reference_tracker = tracker if anybody == settings.signals else make_tracker(anybody)
        return cls(model, tracker, reference_tracker, settings)

    def animate(self, request: AnimateRequest) -> AnimateResult:
        """Make one signed video, its contact sheet and its sidecar; the video appears last, never without the others.

        Raises:
            InputError, DecodeError: an input that cannot be used; nothing is written then.
            WeightsError: speech is to drive a model without an audio encoder.
        """
        request.check()
        sampling = as_trained(request.apply(self._settings.sampling), self._model.about)
        subject = self._subject(request, sampling)
        motion = self._motion(request, subject, sampling)
        if request.two_stage:
            # Last: a pass is long, and owed only to a performance that was found.
            most = self._most_references(sampling)
            subject = with_made_views(self._model, subject, sampling, self._settings.signals.guidance, count=most - 1)
        result = AnimateResult.beside(request.output)
        with atomic_path(result.video) as unfinished:
            rows = SheetRows(subject, motion, request.speech)
            sound = request.speech or request.driving
            with VideoWriter(unfinished, motion.fps, size=subject.size, audio_from=sound) as writer:
                references = encode_references(self._model, subject, self._settings.signals.guidance)
                for frame in show_frames(self._model, references, motion, sampling, "sampling"):
                    writer.write(frame)
                    rows.add(frame)
            rows.write(result.contact_sheet)
            record = self._record(request, subject, sampling)
            sign_video(unfinished, record, self._settings.provenance, title=result.video.name)
            write_sidecar(result.video, record, content=unfinished)
        return result

    def address(self, request: AnimateRequest) -> str:
        """The content address of what would be made."""
        return content_address(request, self._model.about, self._settings)

    def _subject(self, request: AnimateRequest, sampling: SamplingSettings) -> Subject:
        """The person, by no more references than the model knows."""
        most = self._most_references(sampling)
        if request.two_stage and most < 2:
            raise SettingsError(
                "the model takes one reference, so --two-stage has nowhere to put the views it makes",
                remedy="Add --max-references 3, or leave --two-stage away",
            )
        subject = read_subject(
            request.references,
            self._reference_tracker,
            area=int(self._model.about["area"]),
            fineness=self._model.fineness,
            standardizer=load_standardizer(self._settings.signals.retarget.pose_standardizer),
            most=most,
        )
        for note in subject.notes:
            say(note)
        return subject

    def _most_references(self, sampling: SamplingSettings) -> int:
        return sampling.max_references or self._model.max_references

    def _motion(self, request: AnimateRequest, subject: Subject, sampling: SamplingSettings) -> TrackMotion:
        """What drives: the video, speech in the reference's own pose, or the video's body with the face of speech."""
        if request.driving is None:
            return self._spoken(request, subject, sampling)
        signals = self._settings.signals
        driving = extract_video(request.driving, self._tracker, watched=True, max_frames=sampling.max_frames)
        retargeted = retarget(driving, subject.track, signals.retarget, at_rest=subject.at_rest)
        if request.speech is not None:
            retargeted = self._face_of_speech(request, driving.fps).onto(retargeted)
        own_face = None if "face" in signals.retarget.transfer else subject.face_crop()
        return DrivenMotion(
            retargeted, subject.size, signals.guidance, own_face, video=request.driving, driving=driving
        )

    def _spoken(self, request: AnimateRequest, subject: Subject, sampling: SamplingSettings) -> TrackMotion:
        spoken = self._face_of_speech(request, AUDIO_FPS)
        count = min(len(spoken), sampling.max_frames or len(spoken))
        track = spoken.onto(held_pose(subject.track, count, AUDIO_FPS, sampling.seed))
        return TrackMotion(track, subject.size, self._settings.signals.guidance)

    def _face_of_speech(self, request: AnimateRequest, fps: Fraction) -> Spoken:
        assert request.speech is not None
        return self._speech_driver.face(request.speech, fps, self._style_token(request))

    @cached_property
    def _speech_driver(self) -> SpeechDriver:
        return SpeechDriver.load(self._model.folder, self._settings, self._model.device)

    @torch.inference_mode()
    def _style_token(self, request: AnimateRequest) -> torch.Tensor | None:
        """(C,) of the face in the style image.

        Raises:
            InputError: no face is seen in it.
        """
        if request.style is None:
            return None
        shown = read_subject((request.style,), self._reference_tracker, area=_STYLE_AREA)
        if not shown.track.face_confidence[0] > 0:
            raise InputError("shows no face", path=request.style, remedy="Give an image of a face as --style")
        crop_CHW = torch.from_numpy(shown.face_crop()).to(self._model.device).permute(2, 0, 1) / 255
        return self._model.actor.encode_face(crop_CHW[None, None])[0, 0]

    def _record(self, request: AnimateRequest, subject: Subject, sampling: SamplingSettings) -> Record:
        references = [Ingredient("reference", path) for path in subject.paths]
        return Record(
            ingredients=[*references, *_ingredients(request)],
            model=self._model.about | ({"audio": self._speech_driver.about} if request.speech else {}),
            settings={
                "sampling": sampling.model_dump(mode="json"),
                "signals": self._settings.signals.model_dump(mode="json"),
                "two_stage": request.two_stage,
            },
            notes=[*subject.notes, *_view_notes(subject)],
            address=self.address(request),
            consent=request.consent,
        )


def _ingredients(request: AnimateRequest) -> Iterator[Ingredient]:
    for role, path in (("driving", request.driving), ("speech", request.speech), ("style", request.style)):
        if path is not None:
            yield Ingredient(role, path)


def _view_notes(subject: Subject) -> Iterator[str]:
    for view in subject.views:
        yield f"two stages: frame {view.frame} of a clip made of the reference, at yaw {view.yaw_deg}, is one too"
