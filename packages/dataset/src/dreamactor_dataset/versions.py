"""What changed from one version of a data set to the next."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dreamactor_core.manifest import read_manifest_table

_COLUMNS = ("clip_id", "sha256", "frame_count", "fps_num", "fps_den", "framing", "identity", "split", "status")
# Of a clip that stays, what makes it another one: its content, its framing, or where it stands.
_NATURE = ("sha256", "framing", "identity", "split")


@dataclass(frozen=True)
class Difference:
    """Kept clips of an older manifest against those of a newer one.

    Attributes:
        added, removed, changed: ids, in order; changed are those whose content, framing, person or split is another.
        clips, people: how many before and after.
        hours: before and after, by framing, and of all under "all".
    """

    added: list[str]
    removed: list[str]
    changed: list[str]
    clips: tuple[int, int]
    people: tuple[int, int]
    hours: dict[str, tuple[float, float]]

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)

    def rows(self) -> list[dict[str, object]]:
        """The hours as a table."""
        return [
            {"framing": name, "hours before": before, "hours now": after, "change": after - before}
            for name, (before, after) in self.hours.items()
        ]

    def sentence(self) -> str:
        """All of it in one line."""
        before, after = self.clips
        return (
            f"{after} clips of {self.people[1]} people, {self.hours['all'][1]:.3g} hours (before: {before} clips); "
            f"{len(self.added)} added, {len(self.removed)} removed, {len(self.changed)} changed"
        )


def compare_manifests(older: Path | None, newer: Path) -> Difference:
    """Compare the kept clips of two manifests.

    Args:
        older: None where there is no version before.

    Raises:
        InputError, ManifestError: no manifest, or a damaged one.
    """
    before, after = ({} if path is None else _kept(path) for path in (older, newer))
    hours_before, hours_after = _hours(before), _hours(after)
    both = before.keys() & after.keys()
    framings = sorted((hours_before.keys() | hours_after.keys()) - {"all"})
    return Difference(
        added=sorted(after.keys() - before.keys()),
        removed=sorted(before.keys() - after.keys()),
        changed=sorted(clip for clip in both if any(before[clip][name] != after[clip][name] for name in _NATURE)),
        clips=(len(before), len(after)),
        people=(_people(before), _people(after)),
        hours={name: (hours_before[name], hours_after[name]) for name in [*framings, "all"]},
    )


Clips = Mapping[str, Mapping[str, Any]]


def _kept(path: Path) -> Clips:
    rows = read_manifest_table(path, _COLUMNS).to_pylist()
    return {row["clip_id"]: row for row in rows if row["status"] == "kept"}


def _people(clips: Clips) -> int:
    return len({row["identity"] for row in clips.values()})


def _hours(clips: Clips) -> defaultdict[str, float]:
    hours: defaultdict[str, float] = defaultdict(float)
    for row in clips.values():
        length = row["frame_count"] * row["fps_den"] / row["fps_num"] / 3600 if row["fps_num"] else 0.0
        hours[row["framing"] or "not known"] += length
        hours["all"] += length
    return hours
