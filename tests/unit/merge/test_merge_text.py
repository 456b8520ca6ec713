"""The line merge of texts: like git's where hunks meet, kinder where they need not."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_strategies import drawn, texts_apart

from promptstore.merge.text import Disputed, merge_text, split_lines

TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "a\r\n", "d"]), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        pytest.param("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", "A\nb\nC\n", id="a line between"),
        pytest.param("a\nb\n", "A\nb\n", "a\nB\n", None, id="adjacent lines conflict, as in git"),
        pytest.param("a\nb\n", "A\nb\n", "A\nb\n", "A\nb\n", id="equal edits are one"),
        pytest.param("a\nb\nc\n", "X\na\nb\nc\n", "X\na\nb\nC\n", "X\na\nb\nC\n", id="an equal edit beside another"),
        pytest.param("a\n", "a\nX\n", "a\nY\n", None, id="two lines added at one place"),
        pytest.param("a\n\nz\n", "a\n\nX\n\nz\n", "a\n\nY\n\nz\n", None, id="two paragraphs added at one place"),
        pytest.param("one line", "our line", "their line", None, id="no merge within a line"),
        pytest.param("one line", "our line", "one line", "our line", id="one line, one side"),
        pytest.param("a\nb\n", "", "a\nb\n", "", id="emptied"),
        pytest.param("a\nb\n", "", "a\nB\n", None, id="emptied and edited"),
        pytest.param("", "x", "", "x", id="filled"),
        pytest.param("", "x", "y", None, id="filled twice"),
        pytest.param("a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n", "a\r\nb\r\nC\r\n", "A\r\nb\r\nC\r\n", id="crlf stays"),
        pytest.param("a\nb\nc\n", "a\r\nb\nc\n", "a\nb\nc", "a\r\nb\nc", id="line ends are content"),
        pytest.param("a\nb\nc", "A\nb\nc", "a\nb\nc\n", "A\nb\nc\n", id="a last newline comes"),
        pytest.param("a\nb\n", "a\nb", "a\nb\nc\n", None, id="a last newline goes where lines come"),
        pytest.param("a\x0bb\u2028c\n", "A\x0bb\u2028c\n", "a\x0bb\u2028C\n", None, id="only newline ends a line"),
    ],
)
def test_merges(base: str, ours: str, theirs: str, merged: str | None) -> None:
    result = merge_text(base, ours, theirs)
    assert result.conflicted == (merged is None)
    if merged is not None:
        assert result.text() == merged


@pytest.mark.parametrize("gone", [0, 1, 2])
@pytest.mark.parametrize("edited", [0, 1, 2])
def test_removing_a_paragraph_leaves_the_others_free(gone: int, edited: int) -> None:
    if gone == edited:
        return
    paragraphs = ["one\n", "two\n", "three\n"]
    without = [text for index, text in enumerate(paragraphs) if index != gone]
    changed = [text.upper() if index == edited else text for index, text in enumerate(paragraphs)]
    expected = [text for index, text in enumerate(changed) if index != gone]
    result = merge_text("\n".join(paragraphs), "\n".join(without), "\n".join(changed))
    assert not result.conflicted
    assert result.text() == "\n".join(expected)


def test_two_neighbouring_paragraphs_are_removed() -> None:
    assert merge_text("a\n\nb\n\nc\n", "a\n\nc\n", "a\n\nb\n").text() == "a\n"


def test_a_conflict_keeps_what_else_both_sides_changed() -> None:
    base = "1\n2\n3\n4\n5\n6\n7\n"
    merged = merge_text(base, "I\n2\n3\nours\n5\n6\n7\n", "1\n2\n3\ntheirs\n5\n6\nVII\n")
    assert [run for run in merged.runs if isinstance(run, Disputed)] == [Disputed("ours\n", "theirs\n")]
    assert merged.text("ours") == "I\n2\n3\nours\n5\n6\nVII\n"
    assert merged.text("theirs") == "I\n2\n3\ntheirs\n5\n6\nVII\n"


@given(TEXTS)
def test_lines_join_to_the_text(text: str) -> None:
    assert "".join(split_lines(text)) == text


@given(TEXTS, TEXTS)
def test_one_sided_changes_are_taken(base: str, side: str) -> None:
    for merged in (merge_text(base, side, base), merge_text(base, base, side), merge_text(base, side, side)):
        assert not merged.conflicted
        assert merged.text() == side


@given(TEXTS, TEXTS, TEXTS)
def test_swapping_the_sides_swaps_the_conflicts(base: str, ours: str, theirs: str) -> None:
    merged, swapped = merge_text(base, ours, theirs), merge_text(base, theirs, ours)
    assert merged.text("ours") == swapped.text("theirs")
    assert merged.text("theirs") == swapped.text("ours")


@given(TEXTS, TEXTS, TEXTS)
def test_every_new_line_is_in_the_result_or_in_the_conflict(base: str, ours: str, theirs: str) -> None:
    merged = merge_text(base, ours, theirs)
    kept = {*split_lines(merged.text("ours")), *split_lines(merged.text("theirs"))}
    assert {*split_lines(ours), *split_lines(theirs)} - {*split_lines(base)} <= kept


@given(drawn(texts_apart))
def test_edits_of_different_paragraphs_never_conflict(texts: tuple[str, str, str]) -> None:
    base, ours, theirs = texts
    merged = merge_text(base, ours, theirs)
    assert not merged.conflicted
    assert merge_text(base, theirs, ours).text() == merged.text()
    for side in (ours, theirs):
        assert {*split_lines(side)} - {*split_lines(base)} <= {*split_lines(merged.text())}


@pytest.mark.parametrize("alphabet", [1, 2, 40, 10**9], ids=["one line repeated", "two", "forty", "all different"])
def test_long_texts_take_no_time(alphabet: int) -> None:
    random = Random(alphabet)
    base, ours, theirs = ("".join(f"{random.randrange(alphabet)} some words\n" for _ in range(2000)) for _ in range(3))
    start = time.perf_counter()
    merge_text(base, ours, theirs)
    assert time.perf_counter() - start < 2  # milliseconds on an idle machine; a quadratic merge takes a minute
