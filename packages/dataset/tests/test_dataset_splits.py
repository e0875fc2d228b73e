"""Splits are by identity and never move."""

from collections import Counter

import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.manifest import Split
from dreamactor_dataset.ingest.splits import SplitShares, assign_splits, hashed_split
from hypothesis import given
from hypothesis import strategies as st

SHARES = SplitShares(val=0.1, test=0.2)
# Of the people "a" to "h".
GOLDEN: list[Split] = ["val", "train", "test", "train", "test", "test", "val", "val"]


@given(st.lists(st.text(max_size=4), min_size=1), st.lists(st.text(max_size=4)))
def test_adding_clips_moves_nobody(identities: list[str], others: list[str]) -> None:
    before = assign_splits([(identity, None) for identity in identities], SHARES)
    after = assign_splits([(identity, None) for identity in others + identities], SHARES)
    assert all(after[identity] == split for identity, split in before.items())


def test_shares_are_met_on_average() -> None:
    counts = Counter(hashed_split(f"person {index}", SHARES) for index in range(5000))
    assert counts["val"] / 5000 == pytest.approx(0.1, abs=0.02)
    assert counts["test"] / 5000 == pytest.approx(0.2, abs=0.02)


def test_known_people_stay_where_they_are() -> None:
    # Golden: a change here would leak people between the splits of data sets that were made before.
    assert [hashed_split(name, SplitShares(val=0.25, test=0.25)) for name in "abcdefgh"] == GOLDEN


def test_a_stated_split_holds_for_the_whole_person() -> None:
    assert assign_splits([("ada", None), ("ada", "test"), ("ada", None)], SplitShares(val=0, test=0)) == {"ada": "test"}
    with pytest.raises(InputError, match="two splits"):
        assign_splits([("ada", "train"), ("ada", "val")], SHARES)
