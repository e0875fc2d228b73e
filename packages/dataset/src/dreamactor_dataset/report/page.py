"""The page: what is kept, what is not and why, how the measures lie, and what the clips look like."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dreamactor_core.manifest import ClipRow, read_manifest
from dreamactor_core.page import write_page
from dreamactor_core.settings.curate import CurateSettings

from dreamactor_dataset.curate.clips import MEASURES
from dreamactor_dataset.curate.limits import LIMITS
from dreamactor_dataset.curate.measures import Measures
from dreamactor_dataset.report import tables
from dreamactor_dataset.report.histograms import KEPT, REJECTED, histogram
from dreamactor_dataset.report.thumbnails import grid

_PROPERTIES = ("framing", "category", "source", "licence")
_TITLES = {
    "people": "people",
    "seen_share": "share of frames with the person",
    "person_share": "height of the person / frame",
    "face_px": "height of the face, px",
    "sharpness": "sharpness of the person",
    "occlusion": "hidden share of the face",
    "motion_m_s": "speed of the joints, m/s",
    "yaw_range_deg": "turning of the head, degrees",
    "text_share": "share of the picture under text",
    "duration_s": "length, s",
}
_STYLE = f"""
svg {{ width: 18rem; background: #f5f5f2; border-radius: 4px; }}
svg text {{ font: 11px system-ui, sans-serif; fill: #444; }} svg .title {{ font-weight: 600; fill: #1c1c28; }}
figure {{ max-width: 14rem; }}
.kept {{ color: {KEPT}; }} .rejected {{ color: {REJECTED}; }}
"""


def write_report(manifest: Path, output: Path, settings: CurateSettings, *, pictures: int) -> None:
    """Write one HTML file that needs nothing else.

    Args:
        manifest: of a data set, curated or not; histograms need the measures that curating leaves beside it.
        output: the page.
        settings: whose limits are drawn.
        pictures: clips shown of those kept, and of those that are not.

    Raises:
        InputError, ManifestError: no manifest, or a damaged one.
    """
    rows = read_manifest(manifest)
    kept = [row for row in rows if row.status == "kept"]
    refused = [row for row in rows if row.status != "kept"]
    parts = [
        f"<p>{len(kept)} of {len(rows)} clips are kept: {tables.hours(kept)} hours of "
        f"{len({row.identity for row in kept})} people.</p>",
        "<h2>Kept or not</h2>",
        f'<div class="row">{tables.by_status(rows)}{tables.by_reason(rows)}</div>',
        "<h2>What is kept</h2>",
        f'<div class="row">{"".join(tables.by_property(name, kept) for name in _PROPERTIES)}</div>',
        '<h2>Measures</h2><p><span class="kept">kept</span>, <span class="rejected">rejected</span>; '
        "a dashed line is a limit.</p>",
        f'<div class="row">{_histograms(rows, manifest.parent / MEASURES, settings)}</div>',
        f'<h2 class="kept">Kept</h2>{grid(kept, manifest.parent, pictures)}',
        f'<h2 class="rejected">Not kept</h2>{grid(refused, manifest.parent, pictures)}',
    ]
    write_page(output, f"Data set {manifest}", parts, style=_STYLE)


def _histograms(rows: Sequence[ClipRow], path: Path, settings: CurateSettings) -> str:
    if not path.exists():
        return "<p>Nothing was measured: run dreamactor dataset curate.</p>"
    statuses = {row.clip_id: row.status for row in rows}
    columns = _columns(path)
    kept = [statuses.get(clip) == "kept" for clip in columns["clip_id"]]
    limits = {limit.measure: getattr(settings, limit.setting) for limit in reversed(LIMITS)}
    return "".join(
        histogram(
            _TITLES[name],
            *(
                [v for v, good in zip(columns[name], kept, strict=True) if v is not None and good is part]
                for part in (True, False)
            ),
            limit=limits.get(name),
            whole=name == "people",
        )
        for name in Measures.names()
    )


def _columns(path: Path) -> dict[str, list[Any]]:
    import pyarrow.parquet

    columns: dict[str, list[Any]] = pyarrow.parquet.read_table(path).to_pydict()
    return columns
