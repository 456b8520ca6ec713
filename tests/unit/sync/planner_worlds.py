"""Every state in which one prompt can stand at one remote, as values, and the planner's trees made of it.

A text is two messages, so that two edits can touch different places, one place, or be the same. ``X`` is where all
began, ``A`` changed the first message, ``B`` and ``C`` changed the second one, differently; ``AB`` and ``AC`` are what
merges of these make. ``NAMED`` is X by another name, which the vendor cannot change; ``UNFIT`` is nothing it can hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any, Literal

from promptstore.model.digest import digest_of
from promptstore.model.prompt_file import PromptFile
from promptstore.sync.actions import Action, Held, Plan
from promptstore.sync.plan import plan_contents
from promptstore.sync.plan_tags import plan_tags
from promptstore.sync.policy import Policy
from promptstore.sync.trees import (
    BaseEntry,
    KnownVersion,
    Link,
    LocalEntry,
    LocalTag,
    RemoteEntry,
    SeenVersion,
    Trees,
)
from promptstore.vendors.base import Document, Vendor
from promptstore.vendors.promptlayer import VENDOR

Text = Literal["X", "A", "B", "C", "AB", "AC", "NAMED", "UNFIT", "RIVAL"]
TEXTS: tuple[Text, ...] = ("X", "A", "B", "C")
PLACES: Mapping[Text, tuple[int, int]] = {
    "X": (0, 0),
    "A": (1, 0),
    "B": (0, 1),
    "C": (0, 2),
    "AB": (1, 1),
    "AC": (1, 2),
    "NAMED": (0, 0),
}
AT: Mapping[tuple[int, int], Text] = {places: text for text, places in PLACES.items() if text != "NAMED"}

Sight = Literal["listed", "vanished", "gone"]
"""What the last complete listing, and the proof that follows it, say of a prompt that was read before."""

SLUG = "prompt"
TAG = "production"
ROLES = ("system", "user")


def prompt(places: tuple[int, int], **more: Any) -> PromptFile:
    messages = [
        {"role": role, "content": f"the {role} says {value}"} for role, value in zip(ROLES, places, strict=True)
    ]
    return PromptFile.model_validate({"template_format": "jinja2", "messages": messages, **more})


PROMPTS = {text: prompt(places) for text, places in PLACES.items()} | {
    "NAMED": prompt((0, 0), name="Another name"),
    "RIVAL": prompt((5, 5), name=SLUG),
    "UNFIT": prompt((0, 0), metadata={"model": "a key that the vendor uses itself"}),
}


_FIT = {text: file for text, file in PROMPTS.items() if text != "UNFIT"}


class _RememberingLens:
    """The vendor's lens; it is pure, so each answer is worked out once."""

    def __init__(self) -> None:
        self._projected = {text: VENDOR.lens.project(file, SLUG) for text, file in _FIT.items()}
        self._text = {id(file): text for text, file in _FIT.items()}

    def __getattr__(self, name: str) -> Any:
        return getattr(VENDOR.lens, name)

    def project(self, file: PromptFile, slug: str) -> Document:
        known = self._text.get(id(file)) if slug == SLUG else None
        return self._projected[known] if known else VENDOR.lens.project(file, slug)


LENS = _RememberingLens()
DIGESTS = {text: digest_of(LENS.project(file, SLUG)) for text, file in _FIT.items()}


@dataclass(frozen=True, slots=True)
class World:
    """B, L and R of the prompt ``p``; tags by the text they name."""

    base: Text | None = None
    base_seen: bool = True
    local: Text | None = None
    waiting: bool = False
    remote: Text | None = None
    sight: Sight = "listed"
    in_doubt: bool = False
    tags: tuple[Text | None, Text | None, Text | None] = (None, None, None)
    """Where the tag stood when last agreed on, stands here, and at the vendor."""
    old_there: bool = True
    """Whether the vendor has the older versions, X and C, too; else they were committed here since the last sync."""
    invalid: bool = False
    """Whether our file breaks the format."""
    blocked: bool = False
    """Whether something that is not listed has the name at the vendor."""
    runaway: bool = False
    """Whether it was published again and again, and nobody had edited it."""
    unmerged: Text | None = None
    """What our last publish went on top of, unseen; both had come from X."""
    name_there: str = SLUG
    """What the vendor calls it now."""
    stranger: bool = False
    """Whether another prompt of ours, in sync, has the name at the vendor."""
    rival: bool = False
    """Whether another file of ours, not linked either, wants the name."""
    outside: bool = False
    """Whether the remote's config leaves it out."""

    def trees(self) -> Trees:
        flag, none = frozenset({SLUG}), frozenset[str]()
        missing = self.remote is not None and self.sight != "listed"
        base = {SLUG: self._base(self.base)} if self.base else {}
        local = {SLUG: LocalEntry(self.local, self._local_tags(), self._problem())} if self.local else {}
        seen = {SLUG: self._seen(self.remote)} if self.remote else {}
        if self.stranger:
            base["other"], local["other"], seen["other"] = _settled_stranger()
        if self.rival:
            local["other"] = LocalEntry("RIVAL")
        return Trees(
            "acme",
            base,
            local,
            seen,
            PROMPTS,
            {SLUG: self.numbers()},
            vanished=flag if missing else none,
            gone=flag if missing and self.sight == "gone" else none,
            in_doubt=flag if self.in_doubt else none,
            waiting={SLUG: "its file has uncommitted edits"} if self.waiting else {},
            blocked={SLUG: "9"} if self.blocked else {},
            runaway=flag if self.runaway else none,
        )

    def _problem(self) -> str | None:
        return "line 3" if self.invalid else None

    def numbers(self) -> dict[str, int]:
        """Text -> its newest version on the branch."""
        return {text: number for number, text in enumerate(self.history(), 1)}

    def history(self) -> list[Text]:
        """What the branch had, oldest first."""
        older: list[Text | None] = ["X", "C", self.base] if self.old_there else [self.base, "X", "C"]
        texts = [text for text in (*older, self.local) if text]
        return [text for place, text in enumerate(texts) if not place or texts[place - 1] != text]

    def vendor_versions(self) -> list[Text]:
        """What the vendor had, oldest first, up to what it has now."""
        versions = self._agreed_versions()
        if self.remote and (not self.base or self.remote != self.base):
            versions.append(self.remote)
        return versions

    def _agreed_versions(self) -> list[Text]:
        older: list[Text] = ["X", "C"] if self.old_there else []
        return [*older, self.base] if self.base else older

    def _base(self, text: Text) -> BaseEntry:
        agreed = self._agreed_versions()
        known = {str(n): KnownVersion(each, DIGESTS[each]) for n, each in enumerate(agreed, 1)}
        tags = {TAG: _version(self.tags[0])} if self.tags[0] else {}
        unmerged = (_version(self.unmerged), "X") if self.unmerged else None
        link = Link("1", "".join(SLUG), str(len(agreed)), DIGESTS[text], known, tags, unmerged)
        return BaseEntry(text, link, self.base_seen)

    def _seen(self, text: Text) -> RemoteEntry:
        versions = self.vendor_versions()
        seen = {str(n): SeenVersion(each, DIGESTS[each]) for n, each in enumerate(versions, 1)}
        tags = {TAG: _version(self.tags[2])} if self.tags[2] else {}
        document = LENS.project(PROMPTS[text], SLUG)
        return RemoteEntry("1", self.name_there, "", str(len(versions)), "", document, seen, tags)

    def _local_tags(self) -> dict[str, LocalTag]:
        named = self.tags[1]
        return {TAG: LocalTag(f"commit of {named}", named, self.numbers()[named])} if named else {}


def _settled_stranger() -> tuple[BaseEntry, LocalEntry, RemoteEntry]:
    digest = digest_of(VENDOR.lens.project(PROMPTS["X"], "other"))
    link = Link("7", SLUG, "1", digest, {"1": KnownVersion("X", digest)})
    document = VENDOR.lens.project(PROMPTS["X"], "other")
    return (
        BaseEntry("X", link),
        LocalEntry("X"),
        RemoteEntry("7", SLUG, "", "1", "", document, {"1": SeenVersion("X", digest)}),
    )


def _version(text: str) -> str:
    return {"X": "1", "C": "2"}[text]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run may do, and what the vendor can."""

    mode: Literal["both", "pull", "push"] = "both"
    allow_delete: bool = False
    lacks: tuple[str, ...] = ()
    republish: bool = False

    @property
    def pull(self) -> bool:
        return self.mode != "push"

    @property
    def push(self) -> bool:
        return self.mode != "pull"

    def can(self, what: str) -> bool:
        return what not in self.lacks


@cache
def vendor(terms: Terms) -> Vendor:
    able = replace(VENDOR.capabilities, **dict.fromkeys(terms.lacks, False))
    return replace(VENDOR, lens=LENS, capabilities=able)  # type: ignore[arg-type]


@cache
def policy(terms: Terms) -> Policy:
    return Policy(pull=terms.pull, push=terms.push, allow_delete=terms.allow_delete, republish=terms.republish)


def planned(world: World, terms: Terms) -> Plan:
    trees, rules = world.trees(), policy(terms)
    if world.outside:
        rules = replace(rules, covers=lambda _: False)
    contents = plan_contents(trees, vendor(terms), rules)
    return contents.joined(plan_tags(trees, vendor(terms), rules, contents))


def said(plan: Plan) -> list[str]:
    """A plan in words: ``publish A``, ``merge AB``, ``conflict``, ``held``, ``held: choose``, ``tag here C`` ..."""
    found = [_in_words(action) for action in plan.actions]
    found += ["tag conflict" if conflict.field == f"tag:{TAG}" else "conflict" for conflict in plan.conflicts[:1]]
    return sorted([*found, *(_held_in_words(held) for held in plan.held)])


def _held_in_words(held: Held) -> str:
    if held.reason.startswith("tag "):
        return "tag held"
    return "held: choose" if held.can_resolve else "held"


_WORDS = {
    "create-remote": "publish",
    "update-remote": "publish",
    "create-local": "pull",
    "update-local": "pull",
    "delete-remote": "delete there",
    "delete-local": "delete here",
    "link": "agree",
    "tag-remote": "tag there",
    "tag-local": "tag here",
    "untag-remote": "untag there",
    "untag-local": "untag here",
}


def _in_words(action: Action) -> str:
    if action.kind == "merge":
        messages: Any = (action.data or {})["messages"]
        first, second = (int(message["content"].split()[-1]) for message in messages)
        return f"merge {AT[first, second]}"
    if action.tag is not None:
        named = action.blob if action.kind == "tag-remote" else {"1": "X", "2": "C"}.get(action.expected or "")
        return f"{'tag agree' if action.kind == 'link' else _WORDS[action.kind]} {named or ''}".strip()
    plain = action.kind in {"delete-remote", "delete-local", "link"}
    return _WORDS[action.kind] if plain else f"{_WORDS[action.kind]} {action.blob}"


# --- all of them


def all_terms() -> Iterator[Terms]:
    for mode, allowed in product(("both", "pull", "push"), (False, True)):
        for lacks in ((), ("write",), ("delete",), ("tags",), ("untag",)):
            yield Terms(mode, allowed, lacks)  # type: ignore[arg-type]
        yield Terms(mode, allowed, (), republish=True)  # type: ignore[arg-type]


def all_contents() -> Iterator[World]:
    """B, L and R over nothing and four texts, with all that can be known about each."""
    texts = (None, *TEXTS)
    for base, local, remote in product(texts, texts, texts):
        sights: tuple[Sight, ...] = ("listed", "vanished", "gone") if remote else ("listed",)
        seen = (True, False) if base and local != base else (True,)  # a text on the branch is in its history
        for sight, is_seen, waiting in product(sights, seen, (False, True)):
            yield World(base, is_seen, local, waiting, remote, sight)


def all_tags() -> Iterator[World]:
    """The same, nothing special about it, with one tag on nothing or on one of two older versions, on each side."""
    places: tuple[Text | None, ...] = (None, "X", "C")
    for world in all_contents():
        if world.waiting or not world.base_seen or world.sight == "vanished":
            continue
        for agreed, here, there in product(
            places if world.base else (None,), places if world.local else (None,), places if world.remote else (None,)
        ):
            yield replace(world, tags=(agreed, here, there))


def all_new_tags() -> Iterator[World]:
    """A tag set here since the last sync, on any text that the branch ever had; the vendor lacks most of them."""
    for world in all_contents():
        if world.local and not world.waiting and world.base_seen and world.sight == "listed":
            bare = replace(world, old_there=False)
            yield from (replace(bare, tags=(None, tag, None)) for tag in sorted({*bare.history()}))


def all_obstacles() -> Iterator[World]:
    """The same states with one thing more in the way, each with and without a tag that was moved here."""
    for world in all_contents():
        yield from (replace(world, outside=True), replace(world, runaway=True))
        yield from (_tagged(each) for each in _in_the_way(world))


def _in_the_way(world: World) -> Iterator[World]:
    if world.local is not None:
        yield replace(world, invalid=True)
        yield replace(world, blocked=world.remote is None)
        if world.base is None:
            yield from (replace(world, stranger=True), replace(world, rival=True))
    if world.local == "X":
        yield from (replace(world, local=odd, base_seen=world.base_seen) for odd in ("NAMED", "UNFIT"))
    if world.base is not None:
        yield replace(world, unmerged="C")
    if world.base is not None and world.remote is not None:
        yield from (replace(world, name_there=name) for name in ("another", "zero"))
        renamed = replace(world, old_there=False, name_there="another")
        yield from (replace(renamed, tags=(None, tag, None)) for tag in ("X", "C") if world.local)


def _tagged(world: World) -> World:
    """Moved here from X to C, where that can be."""
    if world.tags[1]:
        return world
    moved = (world.base and "X", world.local and "C", "X" if world.base and world.remote else None)
    return replace(world, tags=moved) if world.base and world.local and world.remote else world
