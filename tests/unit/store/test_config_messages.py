"""What a config that cannot be used is told to say instead."""

from __future__ import annotations

import pytest

from promptstore.errors import ConfigError
from promptstore.store.config import parse_config


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[daemon]\npoll = 5\n", '"90s"'),
        ('[daemon]\npoll = "5"\n', '"90s"'),
        ("[sync]\nmax_delete = 20\n", "'20%'"),
        ("[daemon]\nwebhook = 8790\n", "in quotes"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_what_a_right_one_looks_like(text: str, shown: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert shown in str(caught.value)
    assert caught.value.where is not None
    assert caught.value.where.line == 2
