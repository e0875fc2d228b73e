import pytest
from dreamactor_core import footage as room
from dreamactor_core.errors import InputError
from dreamactor_core.footage import NAMES, footage


@pytest.mark.parametrize("name", NAMES)
def test_every_piece_is_found(name: str) -> None:
    assert footage(name).stat().st_size > 10_000


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(InputError, match="astronaut, talking-head"):
        footage("nobody")


def test_missing_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(room._PIECES, "astronaut", ("not_installed_anywhere", "a.png", "some-package==1"))
    with pytest.raises(InputError, match="pip install some-package==1"):
        footage("astronaut")
