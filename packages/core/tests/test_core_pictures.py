from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.contact_sheet import tile, write_contact_sheet
from dreamactor_core.errors import DecodeError
from dreamactor_core.image import read_image, resize_image, write_image
from PIL import Image


def test_image_round_trip_and_exif_turn(tmp_path: Path) -> None:
    picture = np.zeros((10, 20, 3), np.uint8)
    picture[:, :10] = 255
    write_image(tmp_path / "a.png", picture)
    assert np.array_equal(read_image(tmp_path / "a.png"), picture)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a clockwise quarter turn
    Image.fromarray(picture).save(tmp_path / "b.jpg", exif=exif, quality=100)
    turned = read_image(tmp_path / "b.jpg")
    assert turned.shape == (20, 10, 3)
    assert turned[2].mean() > 200
    assert turned[-3].mean() < 50


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4, 4), np.uint8), "RGBA").save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png") == 255).all()


def test_what_is_not_an_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("text")
    with pytest.raises(DecodeError, match="is not an image"):
        read_image(tmp_path / "a.png")
    write_image(tmp_path / "b.png", np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    data = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(DecodeError, match="is not an image"):
        read_image(tmp_path / "b.png")


def test_resize_keeps_flat_colour() -> None:
    assert (resize_image(np.full((10, 10, 3), 77, np.uint8), (5, 20)) == 77).all()


def test_tile_puts_images_row_by_row() -> None:
    sheet = tile([np.full((2, 3, 3), 50 * i, np.uint8) for i in range(1, 4)], columns=2)
    assert sheet.shape == (2 * 2 + 4, 2 * 3 + 4, 3)
    assert (sheet[0, 0, 0], sheet[0, -1, 0], sheet[-1, 0, 0]) == (50, 100, 150)


def test_contact_sheet_repeats_a_single_reference(tmp_path: Path) -> None:
    columns = {
        "reference": [np.full((20, 20, 3), 200, np.uint8)],
        "result": [np.full((20, 20, 3), i, np.uint8) for i in range(9)],
    }
    write_contact_sheet(tmp_path / "sheet.png", columns, rows=3, cell_height=20)
    sheet = read_image(tmp_path / "sheet.png")
    assert (sheet[18 + 10, 10], sheet[-10, 10]) == (pytest.approx([200] * 3), pytest.approx([200] * 3))
    assert (sheet[18 + 10, -10, 0], sheet[-10, -10, 0]) == (0, 8)
