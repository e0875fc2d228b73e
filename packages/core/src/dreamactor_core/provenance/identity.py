"""Who signs: a certificate of the user's own, or one that this installation makes for itself.

A certificate that nobody vouches for proves that a video was not changed since it was signed, not by whom: whoever
verifies it is told so.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dreamactor_core.errors import SettingsError
from dreamactor_core.files import require_file
from dreamactor_core.settings.provenance import ProvenanceSettings

_OWN_FILE = "identity.pem"
_ORGANIZATION = "dreamactor, self-signed"
_LASTS = timedelta(days=3650)
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_REMEDY = "provenance.certificate: PEM of the certificate and those that vouch for it; provenance.key: PEM of its key"


@dataclass(frozen=True)
class Identity:
    """A key and the certificates that go with it, in the forms that C2PA takes.

    Attributes:
        chain: PEM, the signer's own certificate first.
        key: PEM, PKCS 8, not encrypted.
        algorithm: of the signature, by C2PA's name.
    """

    chain: bytes
    key: bytes
    algorithm: str


def load_identity(settings: ProvenanceSettings) -> Identity:
    """The identity that the settings name; without one, this installation's own, made on first use.

    Raises:
        SettingsError: only one of certificate and key is named, they are no PEM, or they do not belong together.
        InputError: a named file is not there.
    """
    if settings.certificate is None and settings.key is None:
        return _own_identity(Path(settings.own_dir).expanduser() / _OWN_FILE)
    if settings.certificate is None or settings.key is None:
        raise SettingsError("certificate and key go together, one of them is missing", remedy=f"Set both: {_REMEDY}")
    certificate, key = Path(settings.certificate), Path(settings.key)
    return _parse(require_file(certificate).read_bytes(), require_file(key).read_bytes(), certificate)


def _own_identity(path: Path) -> Identity:
    if not path.exists():
        _make_own(path)
    whole = path.read_bytes()
    return _parse(whole, whole, path)


def _parse(chain: bytes, key: bytes, path: Path) -> Identity:
    try:
        certificates = x509.load_pem_x509_certificates(chain)
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as problem:
        raise SettingsError(f"not a certificate with an unencrypted key ({problem})", path=path, remedy=_REMEDY) from (
            problem
        )
    if certificates[0].public_key() != private.public_key():
        raise SettingsError("the first certificate is not that of the key", path=path, remedy=_REMEDY)
    return Identity(
        b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates),
        _pem(private),
        _algorithm(private, path),
    )


def _algorithm(private: PrivateKeyTypes, path: Path) -> str:
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        return _CURVES[private.curve.name]
    if isinstance(private, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise SettingsError("C2PA knows no signature by this kind of key", path=path, remedy="Use P-256, RSA or Ed25519")


def _make_own(path: Path) -> None:
    """A root that vouches for one signing certificate and is then forgotten; C2PA takes no certificate of itself."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = _name("root"), _name("signer")
    root = (
        _unsigned(root_name, root_name, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    signer = (
        _unsigned(name, root_name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    chain = b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in (signer, root))
    _write_once(path, chain + _pem(key))


def _name(role: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, _ORGANIZATION), (NameOID.COMMON_NAME, f"dreamactor {role}"))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])


def _unsigned(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=key,
        serial_number=x509.random_serial_number(),
        # Clocks differ between the machines that sign and verify.
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + _LASTS,
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(private: PrivateKeyTypes) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_once(path: Path, content: bytes) -> None:
    """Readable by its owner alone. Of several processes that come at once, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            try:
                os.link(temporary, path)
            except FileExistsError:
                return
    finally:
        temporary.unlink(missing_ok=True)
