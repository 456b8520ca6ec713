"""Vendors that rewrite what they are sent: what one made of a text of ours is nobody's edit, now and later."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from engines import Rig, kinds
from memory_vendor import Kept, MemoryWorkspace, Record
from repos import commit, git

from promptstore.model.prompt_file import PromptFile
from promptstore.model.reading import parse_prompt
from promptstore.store.refnames import base_ref, remote_ref

SENT = """# What we ask
template_format: jinja2
model:
  provider: openai
  name: gpt-4o
  parameters: {temperature: 0.5, house_style: dry}  # ours
messages:
  - role: system
    content: "You are kind. "
  - role: user
    content: "{{ question }}"
"""


class Rewrites(MemoryWorkspace):
    """Trims each text that is saved, and keeps no parameter that it does not know."""

    def _append(self, kept: Kept, record: Record) -> None:
        for message in record.document["prompt_template"]["messages"]:
            for part in message["content"]:
                part["text"] = part["text"].rstrip()
        _parameters(record.document).pop("house_style", None)
        super()._append(kept, record)


def _parameters(document: dict[str, Any]) -> dict[str, Any]:
    model: dict[str, Any] = document.get("metadata", {}).get("model", {})
    return model.get("parameters", {})  # type: ignore[no-any-return]


@pytest.fixture
def acme() -> Rewrites:
    return Rewrites()


@pytest.fixture(autouse=True)
def published(rig: Rig) -> None:
    commit(rig.root, {"p": SENT})
    rig.until_quiet()


def edit(acme: Rewrites, number: int, text: str, **parameters: Any) -> None:
    """Somebody edits one message there, with what stands there before the eyes."""
    kept = acme.by_name("p")
    assert kept is not None
    body = shown(kept)
    body["prompt_template"]["messages"][number]["content"][0]["text"] = text
    _parameters(body).update(parameters)
    acme.save("p", body)


def shown(kept: Kept) -> dict[str, Any]:
    return copy.deepcopy({key: value for key, value in kept.versions[-1].document.items() if key != "prompt_name"})


def here(rig: Rig) -> PromptFile:
    return parse_prompt((rig.root / "prompts/p.yaml").read_bytes(), "p")


def there(acme: Rewrites) -> list[str]:
    return [m["content"][0]["text"] for m in acme.by_name("p").versions[-1].document["prompt_template"]["messages"]]  # type: ignore[union-attr]


def test_it_says_so(rig: Rig, acme: Rewrites) -> None:
    assert there(acme) == ["You are kind.", "{{ question }}"]
    assert "house_style" not in str(acme.by_name("p"))
    assert acme.writes == ["publish"]
    assert (rig.root / "prompts/p.yaml").read_text() == SENT


def test_it_does_not_come_here_with_an_edit_of_something_else(rig: Rig, acme: Rewrites) -> None:
    edit(acme, 1, "Question: {{ question }}")
    rig.until_quiet()
    edited = SENT.replace('"{{ question', '"Question: {{ question')
    assert (rig.root / "prompts/p.yaml").read_text() == edited
    edit(acme, 1, "Q: {{ question }}")
    rig.until_quiet()
    assert (rig.root / "prompts/p.yaml").read_text() == edited.replace("Question:", "Q:")
    assert acme.writes == ["publish"]


def test_nor_does_it_when_both_sides_edit(rig: Rig, acme: Rewrites) -> None:
    edit(acme, 1, "Question: {{ question }}")
    commit(rig.root, {"p": SENT.replace("kind. ", "very kind. ")})
    assert kinds(rig.sync().done) == ["merge p", "update-remote p"]
    assert rig.until_quiet().plan.conflicts == ()
    assert (rig.root / "prompts/p.yaml").read_text() == SENT.replace("kind. ", "very kind. ").replace(
        '"{{ question', '"Question: {{ question'
    )
    assert there(acme) == ["You are very kind.", "Question: {{ question }}"]


def test_who_edits_it_there_has_edited_it(rig: Rig, acme: Rewrites) -> None:
    edit(acme, 0, "You are strict.", temperature=0.9)
    rig.until_quiet()
    prompt = here(rig)
    assert prompt.messages is not None
    assert prompt.messages[0].content == "You are strict."
    assert prompt.data()["model"]["parameters"] == {"temperature": 0.9, "house_style": "dry"}  # type: ignore[index,call-overload]


def test_who_deletes_it_there_has_deleted_it(rig: Rig, acme: Rewrites) -> None:
    kept = acme.by_name("p")
    assert kept is not None
    body = shown(kept)
    del body["prompt_template"]["messages"][0]
    acme.save("p", body)
    rig.until_quiet()
    messages = here(rig).messages
    assert messages is not None
    assert [message.role for message in messages] == ["user"]


def test_what_was_taken_out_here_does_not_come_back(rig: Rig, acme: Rewrites) -> None:
    commit(rig.root, {"p": SENT.replace(", house_style: dry", "").replace("kind. ", "kind.")})
    rig.until_quiet()
    edit(acme, 1, "Question: {{ question }}")
    rig.until_quiet()
    text = (rig.root / "prompts/p.yaml").read_text()
    assert "house_style" not in text
    assert "kind. " not in text


def test_an_edit_that_came_between_is_merged_without_it(rig: Rig, acme: Rewrites) -> None:
    def meanwhile(*_: Any) -> None:
        acme.before.clear()
        edit(acme, 1, "Question: {{ question }}")

    commit(rig.root, {"p": SENT.replace("kind. ", "very kind. ")})
    acme.before["publish"] = meanwhile
    assert rig.until_quiet().plan.conflicts == ()
    assert (
        here(rig).data()
        == parse_prompt(
            SENT.replace("kind. ", "very kind. ").replace('"{{ question', '"Question: {{ question').encode(), "p"
        ).data()
    )


@pytest.mark.parametrize("lost", ["R", "B", "both"])
def test_nor_does_it_when_what_was_known_is_lost(rig: Rig, acme: Rewrites, lost: str) -> None:
    if lost in {"R", "both"}:
        git(rig.root, "update-ref", "-d", remote_ref("acme"))
    if lost in {"B", "both"}:
        git(rig.root, "update-ref", "-d", base_ref("acme"))
    if lost == "R":
        edit(acme, 1, "Question: {{ question }}")
    result = rig.until_quiet()
    assert acme.writes == ["publish"]
    if lost == "R":
        assert (rig.root / "prompts/p.yaml").read_text() == SENT.replace('"{{ question', '"Question: {{ question')
    elif lost == "B":
        assert result.plan.conflicts == ()
        edit(acme, 1, "Question: {{ question }}")
        rig.until_quiet()
        assert (rig.root / "prompts/p.yaml").read_text() == SENT.replace('"{{ question', '"Question: {{ question')
    else:  # nobody knows any more who left it out
        assert {conflict.field for conflict in result.plan.conflicts} >= {"messages[0].content"}
        assert (rig.root / "prompts/p.yaml").read_text() == SENT


def test_the_tracking_ref_says_the_text_that_was_agreed_on(rig: Rig, acme: Rewrites) -> None:
    """Also after the newest version was read again."""
    agreed = git(rig.root, "rev-parse", "HEAD:prompts/p.yaml")
    assert git(rig.root, "rev-parse", f"{remote_ref('acme')}:prompts/p.yaml") == agreed
    git(rig.root, "update-ref", "-d", remote_ref("acme"))
    rig.sync()
    assert git(rig.root, "rev-parse", f"{remote_ref('acme')}:prompts/p.yaml") == agreed
