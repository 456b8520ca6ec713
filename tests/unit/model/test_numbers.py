"""A number is a number in plain digits only: other characters that Python calls digits break its own ``int``."""

from __future__ import annotations

import pytest

from promptstore.model.numbers import whole_number
from promptstore.sync.naming import assign_slugs
from promptstore.vendors.base import RemoteHead
from promptstore.vendors.promptlayer import VENDOR


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("17", 17), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_plain_digits_are_a_number(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["", "²", "1²", "٣", "-1", "+1", "1.0", " 1", "1_0", "9" * 5000])
def test_anything_else_is_none(text: str) -> None:
    assert whole_number(text) is None


def test_an_odd_version_is_shown_as_it_is() -> None:
    assert (VENDOR.shown("7"), VENDOR.shown("²")) == (7, "²")


def test_odd_ids_stop_no_name_from_being_given() -> None:
    heads = [RemoteHead(one, "Same name", "", "1") for one in ("²", "10", "9", "9" * 5000)]
    slugs = assign_slugs(heads, {}, {})
    assert sorted(slugs.values()) == ["same-name", "same-name-2", "same-name-3", "same-name-4"]
    assert (slugs["9"], slugs["10"]) == ("same-name", "same-name-2")
