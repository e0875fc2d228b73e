"""Whether a video is as we made it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamactor_core.errors import InputError
from dreamactor_core.files import require_file, sha256_file
from dreamactor_core.provenance.record import sidecar_path
from dreamactor_core.provenance.signing import RECORD_LABEL

# Nobody vouches for a certificate that an installation made for itself; whether that will do is for people to say.
_TOLERATED = frozenset({"signingCredential.untrusted"})


@dataclass(frozen=True)
class Verified:
    """What an unchanged video says of itself.

    Attributes:
        signer: the organisation in the certificate.
        trusted: whether a known authority vouches for the signer.
        signed_at: if an authority stamped the time.
        record: see `dreamactor_core.provenance.Record.content`.
    """

    signer: str
    trusted: bool
    signed_at: str | None
    record: dict[str, Any]


def verify_video(path: Path) -> Verified:
    """Check the credentials inside a video and, where one lies beside it, the sidecar.

    Raises:
        InputError: no such file, no credentials of ours, or the file was changed after it was signed.
    """
    import c2pa

    try:
        reader = c2pa.Reader(str(require_file(path)))
    except c2pa.C2paError.ManifestNotFound as problem:
        raise InputError(
            "carries no signed credentials: it was not made here, or was converted since",
            path=path,
            remedy="Ask for the file as it was made",
        ) from problem
    except c2pa.C2paError as problem:
        raise InputError(f"its credentials cannot be read ({problem})", path=path) from problem
    with reader:
        state = reader.get_validation_results()["activeManifest"]
        manifest = reader.get_active_manifest()
    failures = sorted({failure["code"] for failure in state["failure"]})
    _refuse_changes(path, [code for code in failures if code not in _TOLERATED])
    _check_sidecar(path)
    signature = manifest["signature_info"]
    return Verified(
        signature.get("issuer", "unknown"), not failures, signature.get("time"), _record(path, manifest["assertions"])
    )


def _refuse_changes(path: Path, failures: list[str]) -> None:
    if failures:
        raise InputError(
            f"was changed after it was signed ({', '.join(failures)})",
            path=path,
            remedy="Ask for the file as it was made",
        )


def _record(path: Path, assertions: list[dict[str, Any]]) -> dict[str, Any]:
    for assertion in assertions:
        if assertion["label"] == RECORD_LABEL:
            return dict(assertion["data"])
    raise InputError("carries credentials of somebody else: no record of ours", path=path)


def _check_sidecar(path: Path) -> None:
    """Credentials leave some padding unprotected; the digest in the sidecar covers every byte."""
    sidecar = sidecar_path(path)
    if sidecar.is_file():
        try:
            digest = json.loads(sidecar.read_text())["result"]["sha256"]
        except (ValueError, KeyError, TypeError) as problem:
            raise InputError("not a sidecar of a result", path=sidecar, remedy="Remove it") from problem
        if digest != sha256_file(path):
            raise InputError(
                f"is not the file that {sidecar.name} describes", path=path, remedy="Ask for the file as it was made"
            )
