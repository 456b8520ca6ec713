"""Cases that publish, in prompts of their own."""

from __future__ import annotations

from functools import partial

from promptstore.errors import RemoteRejected
from promptstore.vendors.conformance.case import Case
from promptstore.vendors.conformance.ground import Ground, Made, refused, same
from promptstore.vendors.conformance.samples import TEXTS, big
from promptstore.vendors.conformance.verdicts import expect

NAMES = {
    "dots": "v1.2_final-x",
    "digits": "2026",
    "long": "n" * 60,
}
"""Slugs of a prompt, behind the prefix."""

FOLDERS = {
    "nested": "deep/er/still",
    "digits-nested": "2026/7",
}
"""Slugs with levels; a vendor may keep a folder of them for good."""

TITLES = {
    "spaces": "two  words",
    "unicode": "Größe 世界",
    "path": "a/b?c=d#e&f%20g",
    "quotes": 'say "it\'s" {{ x }}',
}
"""What people call prompts, behind the prefix."""


def _comes_back(ground: Ground, made: Made) -> None:
    """That a version reads as it was published, both as the newest and by its name."""
    for version in (None, made.version):
        found = ground.workspace.read(made.id, version)
        expect(found.version == made.version, f"published as version {made.version}, read as {found.version}")
        expect(ground.says(found.document, made.document), _difference(made, found.document))


def _difference(made: Made, found: dict[str, object]) -> str:
    keys = sorted({*made.document, *found})
    odd = [key for key in keys if not same({"v": made.document.get(key)}, {"v": found.get(key)})]
    return f"what is read back differs from what was published, in: {', '.join(odd)}"


def _text(ground: Ground, text: str) -> None:
    _comes_back(ground, ground.put(ground.slug("text"), ground.prompt(text)))


def _big(ground: Ground) -> None:
    _comes_back(ground, ground.put(ground.slug("text"), ground.prompt(big())))


def _named(ground: Ground, name: str) -> None:
    made = ground.put(ground.slug(name), ground.prompt("named"))
    _comes_back(ground, made)
    _is_listed(ground, made)


def _titled(ground: Ground, title: str) -> None:
    slug = ground.slug("titled")
    made = ground.put(f"{slug}-{len(title)}", ground.prompt("titled", name=f"{slug} {title}"))
    _comes_back(ground, made)
    _is_listed(ground, made)


def _is_listed(ground: Ground, made: Made) -> None:
    head = ground.head(made.id)
    expect(head is not None, "the prompt is not in the listing that follows")
    assert head is not None
    key = ground.vendor.lens.key(made.document)
    expect(head.name == key, f"published under the name {key!r}, listed as {head.name!r}")
    expect(head.version == made.version, f"published as version {made.version}, listed with {head.version}")


def _create(ground: Ground) -> None:
    made = ground.put(ground.slug("create"), ground.prompt("new", description="What it is for.", tags=("one", "two")))
    _comes_back(ground, made)
    _is_listed(ground, made)
    head = ground.workspace.find(made.slug, made.document)
    expect(head is not None and head.id == made.id, "the name of what was just published is found to be free")


def _again(ground: Ground) -> None:
    first = ground.put(ground.slug("again"), ground.prompt("one"))
    second = ground.put(first.slug, ground.prompt("two"))
    order = ground.vendor.version_key
    expect(second.id == first.id, "the second publish went to another prompt")
    expect(order(second.version) > order(first.version), f"{second.version} is no later version than {first.version}")
    _comes_back(ground, second)
    _is_listed(ground, second)
    ids = [head.id for head in ground.workspace.list() if head.name == ground.vendor.lens.key(first.document)]
    expect(ids == [first.id], f"there are {len(ids)} prompts of that name")


def _old_stays(ground: Ground) -> None:
    made = [ground.put(ground.slug("old"), ground.prompt(text)) for text in ("one", "two", "one", "three")]
    for one in made:
        found = ground.workspace.read(one.id, one.version)
        expect(
            ground.says(found.document, one.document), f"version {one.version} is not what it was when it was published"
        )
    versions = [one.version for one in made]
    known = list(ground.workspace.versions(made[0].id, versions[-1]))
    expect(known == versions, f"the versions {versions} were published, the history says {known}")
    later = list(ground.workspace.versions(made[0].id, versions[2], after=versions[0]))
    expect(later == versions[1:3], f"between {versions[0]} and {versions[2]} the history says {later}")


def _stamp_moves(ground: Ground) -> None:
    stamps = []
    for text in ("one", "two"):
        made = ground.put(ground.slug("stamp"), ground.prompt(text))
        head = ground.head(made.id)
        stamps.append((head.version, head.stamp) if head else None)
    expect(stamps[0] != stamps[1], "the listing says nothing new after a publish")


def _forgets(ground: Ground) -> None:
    full = ground.prompt("one", description="What it is for.", tags=("one", "two"), model=_MODEL)
    first = ground.put(ground.slug("forgets"), full)
    bare = ground.put(first.slug, ground.prompt("one"))
    _comes_back(ground, bare)


_MODEL = {"provider": "openai", "name": "gpt-4o", "parameters": {"temperature": 0, "max_tokens": 10, "top_p": 1.0}}


def _model(ground: Ground) -> None:
    _comes_back(ground, ground.put(ground.slug("model"), ground.prompt("one", model=_MODEL)))


def _two_messages(ground: Ground) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello {{ name }}"}]
    _comes_back(ground, ground.put(ground.slug("messages"), ground.prompt("", messages=messages)))


def _intent(ground: Ground) -> None:
    made = ground.put(ground.slug("intent"), ground.prompt("one"))
    found = ground.workspace.read(made.id, made.version)
    expect(found.intent == made.intent, f"the intent {made.intent} was sent with the publish, and {found.intent} kept")


def _renames(ground: Ground) -> None:
    first = ground.put(ground.slug("name-before"), ground.prompt("one"))
    ground.made[ground.slug("name-after")] = ground.made.pop(first.slug)
    second = ground.put(ground.slug("name-after"), ground.prompt("one"))
    expect(second.id == first.id, "the renamed prompt is another one")
    _comes_back(ground, second)
    _is_listed(ground, second)


def _refuses_renames(ground: Ground) -> None:
    first = ground.put(ground.slug("keeps-name"), ground.prompt("one"))
    other = ground.slug("another-name")
    ground.made[other] = first.id
    try:
        ground.publish(other, ground.project(ground.prompt("one"), other))
    except RemoteRejected as problem:
        expect(refused(problem), f"a rename is refused without a word on what to do: {problem.message!r}")
        return
    finally:
        ground.forget(other)
    expect(False, "a rename, which this vendor is said not to have, was taken")


WRITING = (
    Case("create", "a new prompt is there as it was published, in the listing too", _create, writes=True),
    *(
        Case(f"text-{name}", "the text comes back to the letter", partial(_text, text=text), writes=True)
        for name, text in TEXTS.items()
    ),
    Case("text-big", "a text of 200 000 characters comes back to the letter", _big, writes=True),
    Case("model", "the model and its parameters come back as they were", _model, writes=True, may_refuse=True),
    Case("messages", "a system and a user message come back as they were", _two_messages, writes=True, may_refuse=True),
    *(
        Case(
            f"name-{kind}",
            "a prompt of that name is found again",
            partial(_named, name=name),
            writes=True,
            may_refuse=True,
        )
        for kind, name in NAMES.items()
    ),
    *(
        Case(
            f"name-{kind}", "a prompt of that name is found again", partial(_named, name=name), writes=True, safe=False
        )
        for kind, name in FOLDERS.items()
    ),
    *(
        Case(
            f"title-{kind}",
            "a prompt so called is found again",
            partial(_titled, title=title),
            writes=True,
            may_refuse=True,
        )
        for kind, title in TITLES.items()
    ),
    Case("publish-again", "a second publish is a new version of the same prompt", _again, writes=True),
    Case("publish-less", "what a publish leaves out is gone", _forgets, needs=("write",), writes=True, may_refuse=True),
    Case("stamp", "the listing says something new after a publish", _stamp_moves, writes=True),
    Case("old-versions", "old versions stay what they were", _old_stays, needs=("history",), writes=True),
    Case("intent", "a version keeps the intent of its publish", _intent, needs=("write", "intent"), writes=True),
    Case("rename", "a publish under another name renames the prompt", _renames, needs=("write", "rename"), writes=True),
    Case(
        "no-rename",
        "a publish under another name is refused",
        _refuses_renames,
        needs=("write",),
        lacks=("rename",),
        writes=True,
    ),
)
