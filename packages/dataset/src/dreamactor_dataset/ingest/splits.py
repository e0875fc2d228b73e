"""Train, validation and test: by identity, so that no person is in two of them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dreamactor_core.errors import InputError
from dreamactor_core.manifest import Split


@dataclass(frozen=True)
class SplitShares:
    """Expected shares of the identities; what is left trains."""

    val: float
    test: float


def assign_splits(given: Sequence[tuple[str, Split | None]], shares: SplitShares) -> Mapping[str, Split]:
    """The split of every identity.

    An identity keeps the split that any of its clips states; the others are placed by a hash of their name, so that
    adding or removing clips never moves anybody.

    Args:
        given: (identity, stated split or None) of each clip.
        shares: expected shares of the identities that are placed by hash.

    Raises:
        InputError: clips of one identity state two splits.
    """
    stated: dict[str, Split] = {}
    for identity, split in given:
        if split is not None and stated.setdefault(identity, split) != split:
            raise InputError(
                f"identity {identity!r} stands in two splits, {stated[identity]} and {split}",
                remedy="Give all clips of a person the same split",
            )
    return {identity: stated.get(identity) or hashed_split(identity, shares) for identity, _ in given}


def hashed_split(identity: str, shares: SplitShares) -> Split:
    """The split of an identity by its name alone."""
    digest = hashlib.blake2b(identity.encode(), digest_size=8).digest()
    place = int.from_bytes(digest) / 2**64
    if place < shares.test:
        return "test"
    return "val" if place < shares.test + shares.val else "train"
