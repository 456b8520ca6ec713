"""Cases about tags, on prompts of their own."""

from __future__ import annotations

from promptstore.errors import RemoteError
from promptstore.vendors.conformance.case import Case
from promptstore.vendors.conformance.ground import Ground, Made
from promptstore.vendors.conformance.verdicts import expect


def _two(ground: Ground, name: str) -> tuple[Made, Made]:
    first = ground.put(ground.slug(name), ground.prompt("one"))
    return first, ground.put(first.slug, ground.prompt("two"))


def _place(ground: Ground, prompt_id: str) -> str | None:
    """Where the tag stands, asked both by its name and as one of the prompt's."""
    ground.workspace.list()  # what was learned before belongs to an earlier look
    by_name = ground.workspace.tags([ground.tag], []).tags.get(prompt_id, {}).get(ground.tag)
    swept = ground.workspace.tags([], [prompt_id])
    expect(prompt_id in swept.swept, "the prompt's tags were asked for, and are not known")
    of_prompt = swept.tags.get(prompt_id, {}).get(ground.tag)
    expect(by_name == of_prompt, f"by its name the tag stands at {by_name}, by the prompt at {of_prompt}")
    return of_prompt


def _stands(ground: Ground, prompt_id: str, version: str | None) -> None:
    place = _place(ground, prompt_id)
    expect(place == version, f"the tag {ground.tag!r} should stand at {version}, and stands at {place}")


def _set(ground: Ground) -> None:
    first, _ = _two(ground, "tag-set")
    _stands(ground, first.id, None)
    ground.workspace.set_tag(first.id, ground.tag, first.version)
    _stands(ground, first.id, first.version)


def _move(ground: Ground) -> None:
    first, second = _two(ground, "tag-move")
    for version in (first.version, second.version, first.version):
        ground.workspace.set_tag(first.id, ground.tag, version)
        _stands(ground, first.id, version)


def _stay(ground: Ground) -> None:
    first, second = _two(ground, "tag-stay")
    ground.workspace.set_tag(first.id, ground.tag, second.version)
    third = ground.put(first.slug, ground.prompt("three"))
    expect(third.version != second.version, "a publish made no version")
    _stands(ground, first.id, second.version)


def _twice(ground: Ground) -> None:
    first, _ = _two(ground, "tag-twice")
    ground.workspace.set_tag(first.id, ground.tag, first.version)
    before = ground.recorder.sent()
    ground.workspace.set_tag(first.id, ground.tag, first.version)
    sent = ground.recorder.exchanges[-1] if ground.recorder.sent() > before else None
    expect(sent is None, "a tag that stands there already was sent once more")
    _stands(ground, first.id, first.version)


def _nowhere(ground: Ground) -> None:
    first, second = _two(ground, "tag-nowhere")
    try:
        ground.workspace.set_tag(first.id, ground.tag, f"{second.version}9999")
    except RemoteError:
        _stands(ground, first.id, None)
        return
    expect(False, "a tag was set on a version that is not there")


def _untag(ground: Ground) -> None:
    first, _ = _two(ground, "untag")
    ground.workspace.set_tag(first.id, ground.tag, first.version)
    ground.workspace.delete_tag(first.id, ground.tag)
    _stands(ground, first.id, None)
    ground.workspace.delete_tag(first.id, ground.tag)
    _stands(ground, first.id, None)


TAGGING = (
    Case("tag-set", "a tag that was set stands where it was set", _set, needs=("tags",), writes=True),
    Case("tag-move", "a tag moves forth and back, and stands at one version only", _move, needs=("tags",), writes=True),
    Case("tag-stays", "a publish leaves tags where they are", _stay, needs=("tags",), writes=True),
    Case("tag-twice", "a tag that stands there already is not sent again", _twice, needs=("tags",), writes=True),
    Case("tag-nowhere", "a tag cannot name a version that is not there", _nowhere, needs=("tags",), writes=True),
    Case(
        "untag", "a tag that was taken away is gone, also the second time", _untag, needs=("tags", "untag"), writes=True
    ),
)
