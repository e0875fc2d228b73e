"""What is told of an ingest: counts, then each clip that is not kept with its reason."""

from collections import Counter
from collections.abc import Sequence

from dreamactor_core.manifest import ClipRow

# Of a large set the manifest tells the rest.
_MOST_LINES = 200


def summarise(rows: Sequence[ClipRow]) -> list[str]:
    """Lines for the user."""
    statuses = Counter(row.status for row in rows)
    splits = Counter(row.split for row in rows if row.status == "kept")
    lines = [f"{status:<12}{statuses[status]:>6}" for status in ("kept", "rejected", "quarantined")]
    lines[0] += f"  ({', '.join(f'{splits[split]} {split}' for split in ('train', 'val', 'test'))})"
    width = max(len(row.clip_id) for row in rows)
    refused = [row for row in rows if row.status != "kept"]
    lines += [f"  {row.status:<12}{row.clip_id:<{width}}  {row.reason}" for row in refused[:_MOST_LINES]]
    if len(refused) > _MOST_LINES:
        lines.append(f"  ... and {len(refused) - _MOST_LINES} more: see the manifest")
    return lines
