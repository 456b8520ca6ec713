"""The core of the git merge driver: files in, a file out."""

from __future__ import annotations

import pytest
from hypothesis import given
from prompt_strategies import Family, drawn, family

from promptstore.errors import InvalidPrompt
from promptstore.merge.driver import merge_files
from promptstore.merge.markers import mark
from promptstore.merge.rewriting import rewrite
from promptstore.merge.three_way import merge
from promptstore.merge.values import same
from promptstore.model.reading import parse_prompt
from promptstore.model.yaml.editor import edit
from promptstore.model.yaml.writer import write

PATH = "prompts/a.yaml"
BASE = """\
# how support answers
name: Support      # a title
tools: []
model: {provider: openai, name: gpt-4o, parameters: {temperature: 0.2, top_p: 1}}  # tuned
metadata:
  team: cx
  levels: [1, 2]
messages:
  - role: system
    content: |
      You are a careful agent.

      Be polite.
      Be short.

      Answer in French.
  # the ticket, as it came
  - role: user
    content: "{{ ticket }}"
"""


def changed(*changes: tuple[str, str]) -> str:
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def taken(text: str, side: str) -> str:
    """The text as someone leaves it who takes one side of every conflict."""
    kept: list[str] = []
    inside: str | None = None
    for line in text.splitlines(keepends=True):
        mark_at = {"<<<<<<< ours": "ours", "=======": "theirs", ">>>>>>> theirs": ""}.get(line.rstrip("\r\n"))
        if mark_at is not None:
            inside = mark_at or None
        elif inside in (None, side):
            kept.append(line)
    return "".join(kept)


def test_edits_of_different_fields_keep_both_sides_comments_and_layout() -> None:
    ours = changed(("# how", "# HOW"), ("0.2", "0.7"))
    theirs = changed(("# the ticket", "# THE TICKET"), ("team: cx", "team: ops   # moved"))
    expected = changed(
        ("# how", "# HOW"), ("0.2", "0.7"), ("# the ticket", "# THE TICKET"), ("team: cx", "team: ops   # moved")
    )
    merged = merge_files(BASE, ours, theirs, PATH)
    assert merged.text == expected
    assert not merged.conflicted


def test_edits_of_one_line_come_together_by_field() -> None:
    merged = merge_files(BASE, changed(("0.2", "0.7")), changed(("top_p: 1", "top_p: 0.5")), PATH)
    assert merged.text == changed(("0.2", "0.7"), ("top_p: 1", "top_p: 0.5"))


def test_a_conflict_marks_just_the_field() -> None:
    ours, theirs = changed(("team: cx", "team: ours"), ("French", "German")), changed(("team: cx", "team: theirs"))
    merged = merge_files(BASE, ours, theirs, PATH)
    marked = "<<<<<<< ours\n  team: ours\n=======\n  team: theirs\n>>>>>>> theirs"
    assert merged.conflicted
    assert merged.text == changed(("  team: cx", marked), ("French", "German"))


def test_of_a_text_only_the_lines_in_conflict_are_marked() -> None:
    ours = changed(("Be polite.", "Be very polite."), ("careful", "kind"))
    theirs = changed(("Be polite.", "Be frank."), ("French", "German"))
    merged = merge_files(BASE, ours, theirs, PATH)
    marked = "<<<<<<< ours\n      Be very polite.\n=======\n      Be frank.\n>>>>>>> theirs"
    assert merged.text == changed(("      Be polite.", marked), ("careful", "kind"), ("French", "German"))


def test_other_values_are_marked_in_one_piece() -> None:
    ours = changed(("levels: [1, 2]", "levels:\n    - a\n    - b\n    - c"))
    theirs = changed(("levels: [1, 2]", "levels:\n    - x\n    - b\n    - z"))
    assert merge_files(BASE, ours, theirs, PATH).text.count("<<<<<<<") == 1


def test_a_removed_message_against_its_edit() -> None:
    message = '  # the ticket, as it came\n  - role: user\n    content: "{{ ticket }}"\n'
    theirs = changed(("{{ ticket }}", "{{ ticket.text }}"))
    merged = merge_files(BASE, changed((message, "")), theirs, PATH)
    assert merged.conflicted
    assert same(parse_prompt(taken(merged.text, "theirs")).data(), parse_prompt(theirs).data())
    assert len(parse_prompt(taken(merged.text, "ours")).data()["messages"]) == 1


def test_markers_end_like_the_other_lines() -> None:
    texts = [text.replace("\n", "\r\n") for text in (BASE, changed(("cx", "ours")), changed(("cx", "theirs")))]
    merged = merge_files(*texts, PATH)
    assert "<<<<<<< ours\r\n  team: ours\r\n=======\r\n  team: theirs\r\n>>>>>>> theirs\r\n" in merged.text


def test_both_sides_added_the_file() -> None:
    merged = merge_files(None, BASE, changed(("Support ", "Help ")), PATH)
    assert merged.conflicted
    assert taken(merged.text, "ours") == BASE


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_what_is_no_prompt_is_left_to_git(broken: int) -> None:
    texts = [BASE, BASE, BASE]
    texts[broken] = "messages: [\n"
    with pytest.raises(InvalidPrompt):
        merge_files(*texts, PATH)


def test_rewriting_keeps_what_is_spelled_out_though_it_says_nothing() -> None:
    text = "name: a\ntools: []  # none yet\nmessages:\n  - role: assistant\n    name: null\n"
    data = {**parse_prompt(text).data(), "name": "b"}
    assert rewrite(text, data) == text.replace("name: a", "name: b")
    gone = {"name": "a", "content": "hi"}
    assert parse_prompt(rewrite(text, gone)).data() == gone


def test_a_last_line_without_a_line_break_is_marked_too() -> None:
    assert mark("a\nb", "a\nc") == "a\n<<<<<<< ours\nb\n=======\nc\n>>>>>>> theirs\n"
    assert mark("a\n", "a\n") == "a\n"


@given(drawn(family))
def test_taking_one_side_of_every_conflict_gives_a_valid_prompt(prompts: Family) -> None:
    base = write(prompts.base.data())
    ours, theirs = (edit(base, prompt.data()) for prompt in (prompts.ours, prompts.theirs))
    merged = merge_files(base, ours, theirs, PATH)
    expected = merge(*prompts)
    assert merged.conflicted == bool(expected.conflicts)
    for side in ("ours", "theirs"):
        parse_prompt(taken(merged.text, side))
    if not merged.conflicted:
        assert same(parse_prompt(merged.text).data(), expected.data)
    assert merge_files(base, ours, base, PATH).text == ours
    assert merge_files(base, base, theirs, PATH).text == theirs
