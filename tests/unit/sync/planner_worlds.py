"""Every state in which one prompt can stand at one remote, as values, and the planner's trees made of it.

A text is two messages, so that two edits can touch different places, one place, or be the same. ``X`` is where all
began, ``A`` changed the first message, ``B`` and ``C`` changed the second one, differently; ``AB`` and ``AC`` are what
merges of these make. ``SPELT`` is X in other bytes, ``NAMED`` X by another name, ``ASIDE`` X with something that the
vendor does not get to see, ``MORE`` X with something that only the vendor holds, ``UNFIT`` is nothing it can hold, and
``BROKEN`` no prompt at all.

Equal texts, names and ids are objects of their own wherever they stand, as they are when they were read from files.
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
from promptstore.sync.planner.contents import plan_contents
from promptstore.sync.planner.tags import plan_tags
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
    Unmerged,
)
from promptstore.vendors.base import Document, Vendor
from promptstore.vendors.promptlayer import VENDOR

Text = Literal["X", "A", "B", "C", "AB", "AC", "SPELT", "NAMED", "ASIDE", "MORE", "UNFIT", "BROKEN", "RIVAL", "LOST"]
TEXTS: tuple[Text, ...] = ("X", "A", "B", "C")
PLACES: Mapping[Text, tuple[int, int]] = {
    "X": (0, 0),
    "A": (1, 0),
    "B": (0, 1),
    "C": (0, 2),
    "AB": (1, 1),
    "AC": (1, 2),
    "NAMED": (0, 0),
    "SPELT": (0, 0),
    "ASIDE": (0, 0),
    "MORE": (0, 0),
}
AT: Mapping[tuple[int, int], Text] = {PLACES[text]: text for text in (*TEXTS, "AB", "AC")}

Sight = Literal["listed", "vanished", "gone"]
"""What the last complete listing, and the proof that follows it, say of a prompt that was read before."""

SLUG = "prompt"
TAG = "production"
ANOTHER_NAME = "Another name"
ID = "17"
FIRST = 11
"""The vendor's oldest version. No number has one digit: Python keeps one object of each of those."""
ROLES = ("system", "user")


def prompt(places: tuple[int, int], **more: Any) -> PromptFile:
    messages = [
        {"role": role, "content": f"the {role} says {value}"} for role, value in zip(ROLES, places, strict=True)
    ]
    return PromptFile.model_validate({"template_format": "jinja2", "messages": messages, **more})


PROMPTS = {text: prompt(places) for text, places in PLACES.items()} | {
    "NAMED": prompt((0, 0), name=ANOTHER_NAME),
    "ASIDE": prompt((0, 0), description="what PromptLayer has no field for"),
    "MORE": prompt((0, 0), vendors={"promptlayer": {"prompt_template": {"prompt_owner": "Dana"}}}),
    "RIVAL": prompt((5, 5), name=SLUG),
    "UNFIT": prompt((0, 0), metadata={"model": "a key that the vendor uses itself"}),
}


_FIT = {text: file for text, file in PROMPTS.items() if text != "UNFIT"}


class _RememberingLens:
    """The vendor's lens; it is pure, so each answer is worked out once."""

    def __init__(self) -> None:
        slugs = (SLUG, *NEIGHBOURS)
        self._known = {(id(file), slug): VENDOR.lens.project(file, slug) for file in _FIT.values() for slug in slugs}
        self._lifted: dict[tuple[int, str, int], tuple[PromptFile, Document, PromptFile | None]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(VENDOR.lens, name)

    def project(self, file: PromptFile, slug: str) -> Document:
        known = self._known.get((id(file), slug))
        return VENDOR.lens.project(file, slug) if known is None else known

    def lift(self, document: Document, slug: str, old: PromptFile | None) -> PromptFile:
        asked = (id(document), slug, id(old))
        if asked not in self._lifted:  # what it was asked with is kept, so that no other has its id
            self._lifted[asked] = (VENDOR.lens.lift(document, slug, old), document, old)
        return self._lifted[asked][0]


NEIGHBOURS = ("other", "quite another")
LENS = _RememberingLens()
DIGESTS: Mapping[str, str] = {text: digest_of(LENS.project(file, SLUG)) for text, file in _FIT.items()}


def fresh(text: str) -> str:
    """The same text as another object."""
    return "".join([*text])


def meant(text: Text | None) -> Text | None:
    """What a text says, however it is spelt."""
    return "X" if text == "SPELT" else text


def sent(text: Text | None) -> Text | None:
    """What the vendor gets to see of a text."""
    return "X" if text == "ASIDE" else meant(text)


def name_of(text: Text) -> str:
    return ANOTHER_NAME if text == "NAMED" else SLUG


def blob_of(text: str) -> str:
    return f"blob of {text}"


def text_of(blob: str | None) -> str:
    return (blob or "").removeprefix("blob of ")


BLOBS = {blob_of(text): file for text, file in PROMPTS.items()}


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
    """What our last publish went on top of, unseen."""
    unmerged_base: Text | None = "X"
    """What both of them had come from."""
    unmerged_amid: bool = False
    """Whether it lies between one that nobody can read any more and a later one."""
    name_there: str = SLUG
    """What the vendor calls it now."""
    name_agreed: str = SLUG
    """What it called it when the text was agreed on."""
    stranger: str = ""
    """The name at the vendor of another prompt of ours, which is in sync."""
    rival: bool = False
    """Whether another file of ours, not linked either, wants the name."""
    neighbour: str = NEIGHBOURS[0]
    """The slug of that other prompt."""
    outside: bool = False
    """Whether the remote's config leaves it out."""
    tag_outside: bool = False
    """Whether the remote's config leaves the tag out."""
    tag_unmerged: bool = False
    """Whether our tag is on a commit that the synced branch does not have."""
    proof: Text | None = None
    """What the branch has in place of the agreed text, which it never had: a merge that took it in, unless lost."""
    older: tuple[Text, Text] = ("X", "C")
    """What else the branch had once."""

    def trees(self) -> Trees:
        flag, none = frozenset({fresh(SLUG)}), frozenset[str]()
        missing = self.remote is not None and self.sight != "listed"
        base = {fresh(SLUG): self._base(self.base)} if self.base else {}
        local = {fresh(SLUG): self._local(self.local)} if self.local else {}
        seen = {fresh(SLUG): self._seen(self.remote)} if self.remote else {}
        if self.stranger:
            other = self.neighbour
            base[other], local[other], seen[other] = _settled_stranger(other, self.stranger)
        if self.rival:
            local[self.neighbour] = LocalEntry(blob_of("RIVAL"))
        return Trees(
            "acme",
            base,
            local,
            seen,
            {} if self._differs_in_nothing() else BLOBS,
            {SLUG: {blob_of(text): number for text, number in self.numbers().items()}},
            vanished=flag if missing else none,
            gone=flag if missing and self.sight == "gone" else none,
            in_doubt=flag if self.in_doubt else none,
            waiting={SLUG: "its file has uncommitted edits"} if self.waiting else {},
            blocked={SLUG: "9"} if self.blocked else {},
            runaway=flag if self.runaway else none,
        )

    def _differs_in_nothing(self) -> bool:
        """By ids alone: then nobody reads its texts."""
        return self.local == self.base == self.remote and not any(self.tags) and not self.unmerged

    def _local(self, text: Text) -> LocalEntry:
        return LocalEntry(blob_of(text), self._local_tags(), "line 3" if self.invalid else None)

    def numbers(self) -> dict[str, int]:
        """Text -> its newest version on the branch."""
        return {text: number for number, text in enumerate(self.history(), 1)}

    def history(self) -> list[Text]:
        """What the branch had, oldest first."""
        agreed = self.proof or self.base
        held = None if agreed == "LOST" else agreed
        older: list[Text | None] = [*self.older, held] if self.old_there else [held, *self.older]
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
        known = {number: KnownVersion(blob_of(each), digest(each)) for number, each in _numbered(agreed)}
        tags = {TAG: version_of(self.tags[0])} if self.tags[0] else {}
        before = blob_of(self.unmerged_base) if self.unmerged_base else ""
        over = [self.unmerged] if self.unmerged else []
        over = ["LOST", *over, "X"] if self.unmerged_amid else over
        unmerged = tuple(Unmerged(version_of(each), before) for each in over)
        proof = blob_of(self.proof) if self.proof else ""
        head = [*known][-1]
        link = Link(fresh(ID), fresh(self.name_agreed), fresh(head), digest(text), known, tags, unmerged, proof)
        return BaseEntry(blob_of(text), link, self.base_seen)

    def _seen(self, text: Text) -> RemoteEntry:
        seen = {number: SeenVersion(blob_of(each), digest(each)) for number, each in _numbered(self.vendor_versions())}
        tags = {TAG: version_of(self.tags[2])} if self.tags[2] else {}
        document = LENS.project(PROMPTS[text], SLUG)
        return RemoteEntry(fresh(ID), fresh(self.name_there), "", fresh([*seen][-1]), "", document, seen, tags)

    def _local_tags(self) -> dict[str, LocalTag]:
        named = self.tags[1]
        number = None if self.tag_unmerged else self.numbers().get(named or "X")
        return {TAG: LocalTag(f"commit of {named}", blob_of(named), number)} if named else {}


def digest(text: Text) -> str:
    return fresh(DIGESTS[text])


def _numbered(texts: list[Text]) -> list[tuple[str, Text]]:
    return [(f"{number}", text) for number, text in enumerate(texts, FIRST)]


def _settled_stranger(slug: str, name: str) -> tuple[BaseEntry, LocalEntry, RemoteEntry]:
    document, said = _strangers_text(slug)
    link = Link("7", fresh(name), "1", said, {"1": KnownVersion(blob_of("X"), said)})
    seen = {"1": SeenVersion(blob_of("X"), said)}
    return BaseEntry(blob_of("X"), link), LocalEntry(blob_of("X")), RemoteEntry("7", name, "", "1", "", document, seen)


@cache
def _strangers_text(slug: str) -> tuple[Document, str]:
    document = LENS.project(PROMPTS["X"], slug)
    return document, digest_of(document)


def version_of(text: str) -> str:
    """The vendor's version of an older text, and one that it does not show any more."""
    return f"{ {'X': FIRST, 'C': FIRST + 1, 'LOST': 99}[text] }"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run may do, and what the vendor can."""

    mode: Literal["both", "pull", "push"] = "both"
    allow_delete: bool = False
    lacks: tuple[str, ...] = ()
    republish: bool = False
    renames: bool = False

    @property
    def pull(self) -> bool:
        return self.mode != "push"

    @property
    def push(self) -> bool:
        return self.mode != "pull"

    def can(self, what: str) -> bool:
        return self.renames if what == "rename" else what not in self.lacks


@cache
def vendor(terms: Terms) -> Vendor:
    able = replace(VENDOR.capabilities, rename=terms.renames, **dict.fromkeys(terms.lacks, False))  # type: ignore[arg-type]
    return replace(VENDOR, lens=LENS, capabilities=able)


@cache
def policy(terms: Terms) -> Policy:
    return Policy(pull=terms.pull, push=terms.push, allow_delete=terms.allow_delete, republish=terms.republish)


def planned(world: World, terms: Terms) -> Plan:
    trees, rules = world.trees(), policy(terms)
    if world.outside or world.tag_outside:
        rules = replace(rules, covers=lambda _: not world.outside, covers_tag=lambda _: not world.tag_outside)
    contents = plan_contents(trees, vendor(terms), rules)
    contents = replace(contents, actions=tuple(replace(each, slug=fresh(each.slug)) for each in contents.actions))
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
        named = text_of(action.blob) if action.kind == "tag-remote" else named_by(action.expected)
        return f"{'tag agree' if action.kind == 'link' else _WORDS[action.kind]} {named or ''}".strip()
    plain = action.kind in {"delete-remote", "delete-local", "link"}
    return _WORDS[action.kind] if plain else f"{_WORDS[action.kind]} {text_of(action.blob)}"


def named_by(version: str | None) -> str:
    """The older text with this version."""
    return next((text for text in ("X", "C") if version_of(text) == version), "")


# --- all of them


def all_terms() -> Iterator[Terms]:
    for mode, allowed in product(("both", "pull", "push"), (False, True)):
        for lacks in ((), ("write",), ("delete",), ("tags",), ("untag",)):
            yield Terms(mode, allowed, lacks)  # type: ignore[arg-type]
        yield Terms(mode, allowed, (), republish=True)  # type: ignore[arg-type]
        yield Terms(mode, allowed, (), renames=True)  # type: ignore[arg-type]


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
    """A tag set here since the last sync, on any text that the branch ever had; the vendor lacks most of them.

    Or one that names what neither side can use: a version of theirs that cannot be read, a commit of another branch.
    """
    for world in all_contents():
        if world.local and not world.waiting and world.base_seen and world.sight == "listed":
            bare = replace(world, old_there=False)
            settled = world.base is not None and world.remote == world.base
            proofs: tuple[Text, ...] = (*TEXTS, "LOST")
            proven = [replace(bare, proof=text) for text in proofs if settled and text != world.base]
            if settled:
                renamed = [replace(bare, name_there=name, name_agreed=name) for name in ("another", "zero")]
                yield from (replace(each, tags=(None, tag, None)) for each in renamed for tag in ("X", "C"))
            named = [replace(bare, local=text) for text in ("NAMED", "ASIDE") if world.local == "X"]
            for each in (bare, *proven, *named):
                yield from (replace(each, tags=(None, tag, None)) for tag in sorted({*each.history()}))
            if world.base in (None, world.local, world.remote):
                yield from _odd_tags(world)
                yield from _tags_on_odd_texts(bare)


def _odd_tags(world: World) -> Iterator[World]:
    agreed: Text | None = "X" if world.base else None
    there: Text | None = "X" if world.base and world.remote else None
    for here in ("C", "X"):
        moved = replace(world, tags=(agreed, here, there))
        yield from (replace(moved, tag_unmerged=True), replace(moved, tag_outside=True))
        yield replace(moved, tag_unmerged=True, old_there=False, tags=(None, here, None))
        if world.remote:
            yield from (replace(moved, tags=(agreed, each, "LOST")) for each in (here, None))
            yield replace(moved, tags=(agreed, here, "LOST"), tag_unmerged=True)


def _tags_on_odd_texts(bare: World) -> Iterator[World]:
    for odd in ("NAMED", "UNFIT", "BROKEN", "ASIDE"):
        once = replace(bare, older=(odd, "C"), tags=(None, odd, None))
        yield from (once, replace(once, stranger=ANOTHER_NAME))


def all_obstacles() -> Iterator[World]:
    """The same states with one thing more in the way, each with and without a tag that was moved here."""
    for world in all_contents():
        yield from (replace(world, outside=True), replace(world, in_doubt=True), replace(world, runaway=True))
        yield from (_tagged(each) for each in _in_the_way(world))


def _in_the_way(world: World) -> Iterator[World]:
    if world.local is not None:
        yield replace(world, invalid=True)
        yield replace(world, blocked=world.remote is None)
        if world.base is None:
            for slug in NEIGHBOURS:
                yield from (replace(world, neighbour=slug, stranger=SLUG), replace(world, neighbour=slug, rival=True))
    if world.local == "X":
        yield from _odd_texts(world)
    if world.remote == "X" and world.base is None:
        yield replace(world, remote="MORE")
    if world.base is not None:
        over = replace(world, unmerged="C")
        yield from (replace(over, unmerged_base=base) for base in ("X", None))
        yield from (replace(over, unmerged_amid=True), replace(world, unmerged="LOST"))
    if world.base is not None and world.remote is not None:
        yield from (replace(world, name_there=name) for name in ("another", "zero"))
        renamed = replace(world, old_there=False, name_there="another")
        yield from (replace(renamed, tags=(None, tag, None)) for tag in ("X", "C") if world.local)


def _odd_texts(world: World) -> Iterator[World]:
    for odd in ("SPELT", "NAMED", "ASIDE", "UNFIT"):
        for seen in (True, False) if world.base else (True,):
            yield replace(world, local=odd, base_seen=seen)
    for slug in NEIGHBOURS:
        yield replace(world, local="NAMED", neighbour=slug, stranger=ANOTHER_NAME)


def _tagged(world: World) -> World:
    """Moved here from X to C, where that can be."""
    if world.tags[1] or not (world.base and world.local and world.remote):
        return world
    return replace(world, tags=("X", "C", "X"))
