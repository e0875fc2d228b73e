"""Records beside and inside a video: what they say, and that no change goes unseen."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from dreamactor_core.errors import InputError, SettingsError
from dreamactor_core.files import sha256_file
from dreamactor_core.provenance import Ingredient, Record, sidecar_path, write_sidecar
from dreamactor_core.provenance.identity import load_identity
from dreamactor_core.provenance.signing import sign_video
from dreamactor_core.provenance.verification import verify_video
from dreamactor_core.settings.provenance import ProvenanceSettings
from dreamactor_core.video import VideoWriter


@pytest.fixture
def settings(tmp_path: Path) -> ProvenanceSettings:
    return ProvenanceSettings(own_dir=str(tmp_path / "identity"))


@pytest.fixture
def record(tmp_path: Path) -> Record:
    source = tmp_path / "aunt-mary.png"
    source.write_bytes(b"source")
    return Record([Ingredient("reference", source)], model={"version": "3"}, settings={"seed": 1}, notes=["small"])


@pytest.fixture
def signed(tmp_path: Path, record: Record, settings: ProvenanceSettings) -> Path:
    path = tmp_path / "made.mp4"
    with VideoWriter(path, Fraction(25), size=(64, 48)) as writer:
        for shade in range(20):
            writer.write(np.full((48, 64, 3), 10 * shade, np.uint8))
    sign_video(path, record, settings, title=path.name)
    return path


def test_a_sidecar_names_everything(tmp_path: Path, record: Record) -> None:
    result = tmp_path / "out.mp4"
    result.write_bytes(b"result")
    path = write_sidecar(result, record, content=result)
    content = json.loads(path.read_text())
    assert path.name == "out.mp4.json"
    assert content["notice"] == "AI-generated"
    assert content["result"]["sha256"] == sha256_file(result)
    digest = sha256_file(tmp_path / "aunt-mary.png")
    assert content["inputs"] == [{"role": "reference", "name": "aunt-mary.png", "sha256": digest}]
    assert (content["model"], content["settings"], content["notes"]) == ({"version": "3"}, {"seed": 1}, ["small"])


def test_a_signed_video_plays_and_says_what_it_was_made_from(signed: Path, record: Record) -> None:
    verified = verify_video(signed)
    assert verified.signer == "dreamactor, self-signed"
    assert not verified.trusted
    assert verified.record["model"] == {"version": "3"}
    # Who is in the picture is nobody else's business: the digest goes along, the file's name does not.
    assert verified.record["inputs"] == [{"role": "reference", "sha256": record.content["inputs"][0]["sha256"]}]
    assert b"aunt-mary" not in signed.read_bytes()
    with av.open(str(signed)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20


def test_a_changed_byte_is_seen(signed: Path) -> None:
    whole = signed.read_bytes()
    media = whole.index(b"mdat") + 20
    claim = whole.index(b"org.dreamactor.record") + 40
    for place in (media, claim, len(whole) - 30):
        changed = bytearray(whole)
        changed[place] ^= 1
        signed.write_bytes(changed)
        with pytest.raises(InputError, match="was changed after it was signed"):
            verify_video(signed)


def test_with_the_sidecar_beside_it_every_byte_counts(signed: Path, record: Record) -> None:
    write_sidecar(signed, record, content=signed)
    verify_video(signed)
    whole = signed.read_bytes()
    unprotected = next(place for place in range(200, len(whole), 16) if _passes(signed, whole, place))
    changed = bytearray(whole)
    changed[unprotected] ^= 1
    signed.write_bytes(changed)
    with pytest.raises(InputError, match="is not the file that made.mp4.json describes"):
        verify_video(signed)


def _passes(path: Path, whole: bytes, place: int) -> bool:
    """Whether the credentials alone overlook a changed byte: they leave their own padding out."""
    alone = path.with_name("alone.mp4")
    changed = bytearray(whole)
    changed[place] ^= 1
    alone.write_bytes(changed)
    try:
        verify_video(alone)
    except InputError:
        return False
    return True


def test_a_remux_is_seen(signed: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.mp4"
    with av.open(str(signed)) as source, av.open(str(again), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    with pytest.raises(InputError, match="carries no signed credentials"):
        verify_video(again)


def test_what_is_no_signed_video_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("not a video")
    for path in (text, tmp_path / "none.mp4"):
        with pytest.raises(InputError, match=path.name):
            verify_video(path)


def test_an_installation_keeps_its_identity_to_itself(settings: ProvenanceSettings) -> None:
    first, second = load_identity(settings), load_identity(settings)
    assert first == second
    (kept,) = Path(settings.own_dir).iterdir()
    assert kept.stat().st_mode & 0o077 == 0


def test_an_identity_of_ones_own_signs(signed: Path, record: Record, settings: ProvenanceSettings) -> None:
    identity = load_identity(settings)
    certificate, key = signed.with_name("chain.pem"), signed.with_name("key.pem")
    certificate.write_bytes(identity.chain)
    key.write_bytes(identity.key)
    own = ProvenanceSettings(certificate=str(certificate), key=str(key), own_dir=str(signed.parent / "unused"))
    assert load_identity(own) == identity
    sign_video(signed, record, own, title=signed.name)
    verify_video(signed)
    assert not (signed.parent / "unused").exists()


def test_keys_that_do_not_fit_are_refused(settings: ProvenanceSettings, tmp_path: Path) -> None:
    load_identity(settings)
    (kept,) = Path(settings.own_dir).iterdir()
    other = ProvenanceSettings(own_dir=str(tmp_path / "other"))
    load_identity(other)
    (stranger,) = Path(other.own_dir).iterdir()
    for certificate, key, named in (
        (str(kept), str(stranger), "not that of the key"),
        (str(kept), None, "one of them is missing"),
        (str(kept), __file__, "not a certificate with an unencrypted key"),
    ):
        with pytest.raises(SettingsError, match=named):
            load_identity(ProvenanceSettings(certificate=certificate, key=key))


def test_the_command_verifies(signed: Path) -> None:
    def verify(path: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dreamactor_core.cli", "verify", str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert "unchanged since dreamactor, self-signed" in verify(signed).stdout
    signed.write_bytes(signed.read_bytes()[:-1])
    refused = verify(signed)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert sidecar_path(signed).name == "made.mp4.json"
