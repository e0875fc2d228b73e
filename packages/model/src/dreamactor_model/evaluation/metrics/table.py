"""Every metric of a report, by name. Settings know the same names (`dreamactor_core.settings.evaluation`)."""

from collections.abc import Callable, Mapping
from itertools import chain

import numpy as np
from dreamactor_core.settings import Settings
from dreamactor_core.settings.evaluation import MetricName
from dreamactor_signals.trackers import tracker_sha256

from dreamactor_model.evaluation.metrics.frames import perceptual, pixels
from dreamactor_model.evaluation.metrics.metric import Metric, distance_to_truth, mean_over_clips
from dreamactor_model.evaluation.metrics.person import colours, expression, face_identity, head, pose
from dreamactor_model.evaluation.metrics.sets import i3d, inception, mobilenet, video_distance
from dreamactor_model.evaluation.metrics.time import drift, flicker
from dreamactor_model.evaluation.observed import Observed
from dreamactor_model.evaluation.remembered import Remembered

_NO_TRUTH = "no clip has a truth to be compared with"
_NO_BODY = "no clip has a driving body of which the tracker finds anything in the result"
_NO_FACE = "no clip shows a face of at least evaluation.min_face_px both in the result and in what it is held against"
_NOT_SHOWN = "no clip shows this part both in the result and in the reference"
_NO_JOIN = "no clip is longer than one segment of the sampler"
_ONE_FRAME = "no clip has more than one frame"


def _tracker(settings: Settings) -> str | None:
    return tracker_sha256(settings.signals)


def _frames() -> list[Metric]:
    """Result against truth, frame by frame."""

    def of(
        name: MetricName,
        unit: str,
        protocol: str,
        measure: Callable[[np.ndarray, np.ndarray], np.ndarray],
        network_sha256: str | None = None,
    ) -> Metric:
        def read(seen: Observed, _: Settings) -> float | None:
            truth_THWC = seen.case.truth_THWC
            return None if truth_THWC is None else float(measure(seen.case.result_THWC, truth_THWC).mean())

        return Metric(name, unit, protocol, mean_over_clips(read, otherwise=_NO_TRUTH), network_sha256)

    return [
        of("psnr_db", "dB", pixels.PSNR_PROTOCOL, pixels.bounded_psnr_db),
        of("ssim", "1", pixels.SSIM_PROTOCOL, pixels.ssim),
        of("lpips", "1", perceptual.PROTOCOL, perceptual.lpips, perceptual.SHA256),
    ]


def _sets() -> list[Metric]:
    """All results against all truths."""
    chunks, pictures = Remembered(video_distance.video_features), Remembered(mobilenet.mobilenet_features)
    fvd = distance_to_truth(lambda frames, _: chunks(frames), width=i3d.WIDTH)
    fid = distance_to_truth(
        lambda frames, settings: inception.inception_features(frames, settings.evaluation), width=inception.WIDTH
    )
    mobilenet_fd = distance_to_truth(lambda frames, _: pictures(frames), width=mobilenet.WIDTH)
    return [
        Metric("fvd", "1", video_distance.PROTOCOL, fvd, i3d.SHA256),
        Metric("fid", "1", inception.PROTOCOL, fid, network_of=lambda settings: settings.evaluation.inception_sha256),
        Metric("mobilenet_fd", "1", mobilenet.PROTOCOL, mobilenet_fd, mobilenet.SHA256),
    ]


def _motion() -> list[Metric]:
    """What the tracker finds in the result against what drove it."""

    def posed(
        joints: slice, figure: Callable[[pose.Pose], float | None]
    ) -> Callable[[Observed, Settings], float | None]:
        return lambda seen, _: figure(pose.compare_pose(seen.result_track, seen.case.driving, joints))

    def turned(seen: Observed, _: Settings) -> float | None:
        return head.head_error_deg(seen.result_track, seen.case.driving)

    def expressed(seen: Observed, settings: Settings) -> float | None:
        return expression.expression_error(seen.result_track, seen.performed_track, settings.evaluation.min_face_px)

    def of(
        name: MetricName, unit: str, protocol: str, read: Callable[[Observed, Settings], float | None], otherwise: str
    ) -> Metric:
        return Metric(name, unit, protocol, mean_over_clips(read, otherwise=otherwise), network_of=_tracker)

    return [
        of("pose_error", "torso", pose.ERROR_PROTOCOL, posed(pose.BODY, lambda found: found.error_torso), _NO_BODY),
        of("pose_near", "share", pose.NEAR_PROTOCOL, posed(pose.BODY, lambda found: found.near), _NO_BODY),
        of("pose_found", "share", pose.FOUND_PROTOCOL, posed(pose.BODY, lambda found: found.found), _NO_BODY),
        of("hand_error", "torso", pose.HANDS_PROTOCOL, posed(pose.HANDS, lambda found: found.error_torso), _NO_BODY),
        of("head_error_deg", "degree", head.PROTOCOL, turned, _NO_BODY),
        of("expression_error", "1", expression.PROTOCOL, expressed, _NO_FACE),
    ]


def _identity() -> list[Metric]:
    """The result against the reference: is it still the same person."""

    def coloured(name: MetricName, part: colours.Part) -> Metric:
        def read(seen: Observed, settings: Settings) -> float | None:
            return colours.colour_distance(
                part,
                seen.case.result_THWC,
                seen.result_track,
                seen.case.reference_HWC,
                seen.reference_track,
                settings.evaluation.min_face_px,
            )

        figure = mean_over_clips(read, otherwise=_NOT_SHOWN)
        return Metric(name, "delta E", colours.colours_protocol(part), figure, network_of=_tracker)

    def recognised(seen: Observed, settings: Settings) -> float | None:
        case = seen.case
        return face_identity.face_distance(
            case.result_THWC,
            seen.result_track,
            case.reference_HWC,
            seen.reference_track,
            settings.evaluation.min_face_px,
        )

    face = mean_over_clips(recognised, otherwise=_NO_FACE)
    return [
        Metric("face_distance", "1", face_identity.PROTOCOL, face, face_identity.SHA256),
        coloured("face_colour", "face"),
        coloured("hair_colour", "hair"),
        coloured("clothes_colour", "clothes"),
    ]


def _time() -> list[Metric]:
    """The result by itself, over time."""

    def flickers(seen: Observed, _: Settings) -> float | None:
        return flicker.flicker(seen.case.result_THWC)

    def drifts(seen: Observed, _: Settings) -> float | None:
        case = seen.case
        return drift.colour_drift(case.result_THWC, case.truth_THWC, float(case.driving.fps))

    def jumps(seen: Observed, _: Settings) -> float | None:
        return drift.join_jump(seen.case.result_THWC, seen.case.segment_starts)

    grey = "grey levels"
    return [
        Metric("flicker", grey, flicker.PROTOCOL, mean_over_clips(flickers, otherwise=_ONE_FRAME)),
        Metric("colour_drift", grey, drift.DRIFT_PROTOCOL, mean_over_clips(drifts, otherwise=_ONE_FRAME)),
        Metric("join_jump", grey, drift.JUMP_PROTOCOL, mean_over_clips(jumps, otherwise=_NO_JOIN)),
    ]


METRICS: Mapping[str, Metric] = {
    metric.name: metric for metric in chain(_frames(), _sets(), _motion(), _identity(), _time())
}
