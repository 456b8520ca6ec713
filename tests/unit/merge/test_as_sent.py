"""Laws of reading what a vendor shows as if it had kept what it was sent, for vendors that rewrite at random."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_strategies import edited, prompt_data

from promptstore.errors import NotRepresentable
from promptstore.model.prompt_file import PromptFile
from promptstore.sync.texts import as_sent
from promptstore.vendors.base import Document, Lens
from promptstore.vendors.phoenix import VENDOR as PHOENIX
from promptstore.vendors.promptlayer import VENDOR as PROMPTLAYER

LENSES = pytest.mark.parametrize("lens", [PROMPTLAYER.lens, PHOENIX.lens], ids=["promptlayer", "phoenix"])
SEEDS = st.integers(0, 2**32)
DROPPED = frozenset({"owner", "top_p"})


def rewritten(value: Any) -> Any:
    """What the vendor makes of it: another spelling in texts, keys that it does not know left out."""
    if isinstance(value, dict):
        return {key: rewritten(item) for key, item in value.items() if key not in DROPPED}
    if isinstance(value, list):
        return [rewritten(item) for item in value]
    return value.replace("json", "JSON") if isinstance(value, str) else value


def prompt(random: Random, lens: Lens) -> PromptFile:
    """One that the vendor can hold, before and after its rewriting."""
    while True:
        made = PromptFile.model_validate(prompt_data(random))
        try:
            lens.normalise(rewritten(lens.project(made, "p")))
        except NotRepresentable:
            continue
        return made


def edited_there(random: Random, lens: Lens, shown: PromptFile) -> Document:
    """What stands there after somebody edited what is shown."""
    while True:
        try:
            return lens.normalise(rewritten(lens.project(edited(shown.data(), random, 2), "p")))
        except NotRepresentable:
            continue


class World(NamedTuple):
    sent: PromptFile
    made: Document
    """What the vendor made of it."""
    now: Document
    """What stands there after somebody edited what it made."""


def world(lens: Lens, seed: int) -> World:
    random = Random(seed)
    sent = prompt(random, lens)
    made = lens.normalise(rewritten(lens.project(sent, "p")))
    return World(sent, made, edited_there(random, lens, lens.lift(made, "p", sent)))


@LENSES
@given(seed=SEEDS)
def test_what_nobody_edited_is_what_was_sent(lens: Lens, seed: int) -> None:
    sent, made, _ = world(lens, seed)
    assert as_sent(lens, "p", sent, made, lens.lift(made, "p", sent)) == sent


@LENSES
@given(seed=SEEDS)
def test_sent_again_it_is_what_was_shown(lens: Lens, seed: int) -> None:
    """Nothing that was edited there is lost, and nothing comes back that was taken out there."""
    sent, made, now = world(lens, seed)
    whole = as_sent(lens, "p", sent, made, lens.lift(now, "p", sent))
    assert lens.normalise(rewritten(lens.project(whole, "p"))) == now


@LENSES
@given(seed=SEEDS)
def test_of_a_vendor_that_keeps_what_it_gets_it_is_what_is_shown(lens: Lens, seed: int) -> None:
    sent, _, now = world(lens, seed)
    shown = lens.lift(now, "p", sent)
    assert as_sent(lens, "p", sent, lens.project(sent, "p"), shown) == shown
