"""An independent YAML 1.2 reader understands what we write: editors and other tools see the same prompt."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from promptstore.model.yaml.writer import write

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t {}%#:'\""))
WORDS = st.sampled_from(["yes", "on", "012", "12:30:45", "2026-11-21", "~", "null", "1e3", "=", "<<", ".5", "0x1F"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | TEXTS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def read_elsewhere(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(io.StringIO(text))


@settings(max_examples=60)
@given(text=TEXTS | WORDS, metadata=st.dictionaries(st.sampled_from(["team", "x"]), VALUES, max_size=2))
def test_what_we_write_means_the_same_elsewhere(text: str, metadata: dict[str, Any]) -> None:
    data = {"messages": [{"role": "user", "content": text}], "metadata": metadata}
    assert read_elsewhere(write(data)) == data
