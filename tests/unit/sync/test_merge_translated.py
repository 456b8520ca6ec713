"""Edits on both sides of a prompt that the vendor holds in another template format than the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import commit, make_store

BODY = "Hello {open}name{close}.\n\nSecond paragraph.\n\nThird paragraph."
MARKS = {"mustache": ("{{", "}}"), "jinja2": ("{{ ", " }}"), "f-string": ("{", "}")}


def text(fmt: str) -> str:
    begin, end = MARKS[fmt]
    return BODY.format(open=begin, close=end)


def file(fmt: str, content: str, extra: str = "") -> str:
    lines = "\n".join(f"      {line}" if line else "" for line in content.split("\n"))
    return f"{extra}template_format: {fmt}\nmessages:\n  - role: system\n    content: |-\n{lines}\n"


def begun(tmp_path: Path, acme: MemoryWorkspace, fmt: str) -> Rig:
    """A prompt of this format, agreed on."""
    rig = Rig(make_store(tmp_path / "repo"), {"acme": acme})
    commit(Path(rig.store.root), {"p": file(fmt, text(fmt))})
    rig.until_quiet()
    return rig


def edit_there(acme: MemoryWorkspace, old: str, new: str) -> None:
    """Change the text in the vendor's page, whatever format it has there."""
    kept = acme.by_name("p")
    assert kept is not None
    template = kept.versions[-1].document["prompt_template"]
    [message] = template["messages"]
    [part] = message["content"]
    assert old in part["text"]
    changed = {**message, "content": [{**part, "text": part["text"].replace(old, new)}]}
    acme.save("p", {"prompt_template": {**template, "messages": [changed]}})


def here(rig: Rig, **values: str) -> str:
    return str(rig.store.get("p").render(**values)[0]["content"])


def test_a_format_changed_here_is_not_taken_for_an_edit_there(tmp_path: Path, acme: MemoryWorkspace) -> None:
    rig = begun(tmp_path, acme, "mustache")
    commit(Path(rig.store.root), {"p": file("jinja2", text("jinja2"))})
    edit_there(acme, "Third", "3rd")
    result = rig.until_quiet()
    assert (result.plan.conflicts, result.plan.held) == ((), ())
    assert here(rig, name="Ann") == "Hello Ann.\n\nSecond paragraph.\n\n3rd paragraph."
    assert rig.store.get("p").file.template_format == "jinja2"


@pytest.mark.parametrize(("before", "after"), [("f-string", "jinja2"), ("jinja2", "mustache"), ("mustache", "jinja2")])
def test_a_variable_added_there_is_one_in_the_format_chosen_here(
    tmp_path: Path, acme: MemoryWorkspace, before: str, after: str
) -> None:
    rig = begun(tmp_path, acme, before)
    commit(Path(rig.store.root), {"p": file(after, text(after))})
    there = acme.by_name("p").versions[-1].document["prompt_template"]["messages"][0]["template_format"]  # type: ignore[union-attr]
    begin, end = MARKS[there]
    edit_there(acme, "Third", f"{begin}number{end}")
    result = rig.until_quiet()
    assert (result.plan.conflicts, result.plan.held) == ((), ())
    assert here(rig, name="Ann", number="3rd").endswith("3rd paragraph.")
    assert rig.store.get("p").file.template_format == after


def test_what_cannot_be_said_in_the_format_chosen_here_is_held(tmp_path: Path, acme: MemoryWorkspace) -> None:
    rig = begun(tmp_path, acme, "jinja2")
    commit(Path(rig.store.root), {"p": file("f-string", text("f-string"))})
    edit_there(acme, "Third", "{% for x in xs %}{{ x }}{% endfor %}")
    [held] = rig.until_quiet().plan.held
    assert "template format" in held.reason
    assert "for x in xs" in held.reason
    assert here(rig, name="Ann") == text("f-string").format(name="Ann")


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_conflict_beside_it_is_settled_in_one_format(tmp_path: Path, acme: MemoryWorkspace, side: str) -> None:
    rig = begun(tmp_path, acme, "f-string")
    commit(Path(rig.store.root), {"p": file("jinja2", text("jinja2").replace("Second", "Our"))})
    edit_there(acme, "Second", "{their}")
    assert [conflict.field for conflict in rig.sync().plan.conflicts] == ["messages[0].content"]
    rig.resolve("p", side)  # type: ignore[arg-type]
    rig.until_quiet()
    word = {"ours": "Our", "theirs": "Their"}[side]
    assert here(rig, name="Ann", their="Their") == f"Hello Ann.\n\n{word} paragraph.\n\nThird paragraph."
