"""Who signs the videos that are made."""

from pydantic import Field

from dreamactor_core.settings.base import Section


class ProvenanceSettings(Section):
    """Content Credentials (C2PA) inside every video."""

    certificate: str | None = Field(
        None, description="PEM file of the signer's certificate and those that vouch for it; none: one of its own."
    )
    key: str | None = Field(None, description="PEM file of the certificate's private key, not encrypted.")
    own_dir: str = Field(
        "~/.config/dreamactor", description="Folder where an installation without a certificate keeps its own."
    )
