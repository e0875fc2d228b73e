"""The content address of an animation: equal inputs, weights and settings have the same, whatever files are called."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from dreamactor_core.files import sha256_file
from dreamactor_core.settings import Settings

from dreamactor_model.animate.request import AnimateRequest


def content_address(request: AnimateRequest, about: Mapping[str, Any], settings: Settings) -> str:
    """64 hexadecimal digits.

    Args:
        about: of the model; its weights are known by `manifest_sha256`.

    Raises:
        InputError: an input is not there.
    """
    content = {
        "references": [sha256_file(path) for path in request.references],
        "performance": {
            name: None if path is None else sha256_file(path)
            for name, path in (("driving", request.driving), ("speech", request.speech), ("style", request.style))
        },
        "weights": about["manifest_sha256"],
        "precision": settings.model.precision,
        "sampling": request.apply(settings.sampling).model_dump(mode="json"),
        "signals": settings.signals.model_dump(mode="json"),
        "two_stage": request.two_stage,
        "consent": request.consent,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
