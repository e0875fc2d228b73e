"""Content Credentials (C2PA) inside an mp4: that a model made it, what from, and that nobody changed it since.

Signing comes last: whatever rewrites the container afterwards drops the credentials.
"""

import json
from pathlib import Path
from typing import Any

from dreamactor_core import __version__
from dreamactor_core.files import atomic_path
from dreamactor_core.provenance.identity import load_identity
from dreamactor_core.provenance.record import Record
from dreamactor_core.settings.provenance import ProvenanceSettings

RECORD_LABEL = "org.dreamactor.record"
_MADE_BY_A_MODEL = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def sign_video(path: Path, record: Record, settings: ProvenanceSettings, *, title: str) -> None:
    """Put signed credentials into a finished mp4, in place and all or nothing.

    Args:
        title: the name that the file will have.

    Raises:
        SettingsError: the settings' certificate or key cannot be used.
        InputError: they name a file that is not there.
    """
    import c2pa

    identity = load_identity(settings)
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(identity.algorithm.encode(), identity.chain, identity.key, None))
    with signer, c2pa.Builder(json.dumps(_manifest(record, title))) as builder, atomic_path(path) as signed:
        builder.sign_file(str(path), str(signed), signer)


def _manifest(record: Record, title: str) -> dict[str, Any]:
    created = {"action": "c2pa.created", "when": record.created, "digitalSourceType": _MADE_BY_A_MODEL}
    return {
        "title": title,
        "format": "video/mp4",
        "claim_generator_info": [{"name": "dreamactor", "version": __version__}],
        "assertions": [
            {"label": "c2pa.actions", "data": {"actions": [created]}},
            {"label": RECORD_LABEL, "data": _unnamed(record.content)},
        ],
    }


def _unnamed(content: dict[str, Any]) -> dict[str, Any]:
    """A video travels further than its sidecar: names of private files stay at home, their digests go along."""
    inputs = [{key: value for key, value in item.items() if key != "name"} for item in content["inputs"]]
    return {**content, "inputs": inputs}
