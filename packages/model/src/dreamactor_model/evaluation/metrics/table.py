"""Every metric of a report, by name. Settings know the same names (`dreamactor_core.settings.evaluation`)."""

from collections.abc import Callable, Mapping

import numpy as np
from dreamactor_core.settings import Settings

from dreamactor_model.evaluation.metrics import i3d, perceptual, pixels, video_distance
from dreamactor_model.evaluation.metrics.metric import Metric, distance_to_truth, mean_over_clips
from dreamactor_model.evaluation.observed import Observed

_NO_TRUTH = "no clip has a truth to be compared with"


def _by_frame(measure: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[Observed], float | None]:
    """The mean over a clip's frames of a measure of result and truth."""

    def read(observed: Observed) -> float | None:
        case = observed.case
        return None if case.truth_THWC is None else float(measure(case.result_THWC, case.truth_THWC).mean())

    return read


def _psnr_db(frames_THWC: np.ndarray, truth_THWC: np.ndarray) -> np.ndarray:
    return np.minimum(pixels.psnr_db(frames_THWC, truth_THWC), pixels.PERFECT_DB)


def _chunks(frames_THWC: np.ndarray, _: Settings) -> np.ndarray:
    return video_distance.video_features([frames_THWC])


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("psnr_db", "dB", pixels.PSNR_PROTOCOL, None, mean_over_clips(_by_frame(_psnr_db), otherwise=_NO_TRUTH)),
        Metric("ssim", "1", pixels.SSIM_PROTOCOL, None, mean_over_clips(_by_frame(pixels.ssim), otherwise=_NO_TRUTH)),
        Metric(
            "lpips",
            "1",
            perceptual.PROTOCOL,
            perceptual.SHA256,
            mean_over_clips(_by_frame(perceptual.lpips), otherwise=_NO_TRUTH),
        ),
        Metric("fvd", "1", video_distance.PROTOCOL, i3d.SHA256, distance_to_truth(_chunks, width=i3d.WIDTH)),
    )
}
