"""The tables of DreamActor-M1 (arXiv 2504.01724, section 4), as published."""

from dataclasses import dataclass

ATTRIBUTION = (
    "Figures of the paper, measured by its authors on their own test clips with a model of another size. They are "
    "printed for orientation and cannot be compared with ours."
)
COLUMNS = {"fid": "FID↓", "ssim": "SSIM↑", "psnr_db": "PSNR↑", "lpips": "LPIPS↓", "fvd": "FVD↓"}
"""Our metric for each column of the paper's tables."""


@dataclass(frozen=True)
class PaperTable:
    """One table: a title, and the figures of each method in the order of `COLUMNS`."""

    number: int
    title: str
    rows: dict[str, tuple[float, float, float, float, float]]


_ALL = (
    PaperTable(
        1,
        "body animation methods",
        {
            "Animate Anyone": (36.72, 0.791, 21.74, 0.266, 158.3),
            "Champ": (40.21, 0.732, 20.18, 0.281, 171.2),
            "MimicMotion": (35.90, 0.799, 22.25, 0.253, 149.9),
            "DisPose": (33.01, 0.804, 21.99, 0.248, 144.7),
            "DreamActor-M1": (27.27, 0.821, 23.93, 0.206, 122.0),
        },
    ),
    PaperTable(
        2,
        "portrait animation methods",
        {
            "LivePortrait": (31.72, 0.809, 24.25, 0.270, 147.1),
            "X-Portrait": (30.09, 0.774, 22.98, 0.281, 150.9),
            "SkyReels-A1": (30.66, 0.811, 24.11, 0.262, 133.8),
            "Act-One": (29.84, 0.817, 25.07, 0.259, 135.2),
            "DreamActor-M1": (25.70, 0.823, 28.44, 0.238, 110.3),
        },
    ),
    PaperTable(
        3,
        "ablation on multi-reference",
        {
            "Single-R": (28.22, 0.798, 25.86, 0.223, 120.5),
            "Multi-R (pseudo)": (26.53, 0.812, 26.22, 0.219, 116.6),
        },
    ),
)
TABLES: dict[int, PaperTable] = {table.number: table for table in _ALL}
