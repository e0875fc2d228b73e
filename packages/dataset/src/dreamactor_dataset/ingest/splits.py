"""Train, validation and test: no person, no source video and no look-alike of a clip is in two of them.

Clips that share any of these are one group, and so are groups that share a clip; a group has one split.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.manifest import Split


@dataclass(frozen=True)
class SplitShares:
    """Expected shares of the groups; what is left trains."""

    val: float
    test: float


@dataclass(frozen=True)
class Ties:
    """What binds a clip to others.

    Attributes:
        identity: who is seen.
        video: the source video it was cut out of, if there is more than the clip.
        look: the set of clips that look the same, if it is in one.
        stated: the split that somebody gave it.
    """

    identity: str
    video: str | None = None
    look: str | None = None
    stated: Split | None = None


def assign_splits(clips: Sequence[Ties], shares: SplitShares) -> list[Split]:
    """The split of every clip.

    A group keeps the split that any of its clips states; the others are placed by a hash of the name of one of their
    people, so that clips which are added or removed move nobody but those they bind together.

    Args:
        shares: expected shares of the groups that are placed by hash.

    Raises:
        InputError: clips of one group state two splits.
    """
    groups = connected_groups(clips)
    stated = _stated(clips, groups)
    first: dict[int, str] = {}
    for clip, group in zip(clips, groups, strict=True):
        first[group] = min(clip.identity, first.get(group, clip.identity))
    placed = {group: stated.get(group) or hashed_split(identity, shares) for group, identity in first.items()}
    return [placed[group] for group in groups]


def connected_groups(clips: Sequence[Ties]) -> list[int]:
    """The number of each clip's group: clips joined by any chain of shared people, source videos or looks."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes: defaultdict[tuple[str, str], int] = defaultdict(lambda: len(nodes))
    edges = [
        (index, nodes[kind, name])
        for index, clip in enumerate(clips)
        for kind, name in (("identity", clip.identity), ("video", clip.video), ("look", clip.look))
        if name is not None
    ]
    if not edges:
        return []
    ends = np.array(edges)
    size = len(clips) + len(nodes)
    graph = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], len(clips) + ends[:, 1])), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    groups: list[int] = labels[: len(clips)].tolist()
    return groups


def _stated(clips: Sequence[Ties], groups: Sequence[int]) -> Mapping[int, Split]:
    stated: dict[int, Split] = {}
    for clip, group in zip(clips, groups, strict=True):
        if clip.stated is not None and stated.setdefault(group, clip.stated) != clip.stated:
            raise InputError(
                f"identity {clip.identity!r} stands in two splits, {stated[group]} and {clip.stated}, or is bound to "
                "somebody in the other one by a source video or a look-alike",
                remedy="Give all clips of a person, of a video and of a look the same split",
            )
    return stated


def hashed_split(identity: str, shares: SplitShares) -> Split:
    """The split of an identity by its name alone."""
    digest = hashlib.blake2b(identity.encode(), digest_size=8).digest()
    place = int.from_bytes(digest) / 2**64
    if place < shares.test:
        return "test"
    return "val" if place < shares.test + shares.val else "train"
