"""The planner as a table: what it decides for every state of one prompt at one remote.

``x``, ``y`` and ``z`` are texts that differ in one field, ``-`` is absence; ``x#`` is ``x`` with something that the
vendor cannot hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from promptstore.errors import BadResponse
from promptstore.model.digest import digest_of
from promptstore.model.prompt_file import PromptFile
from promptstore.sync.actions import Plan
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
from promptstore.vendors.base import Vendor
from promptstore.vendors.promptlayer import VENDOR

LENS = VENDOR.lens


def prompt(text: str, **more: Any) -> PromptFile:
    messages = [{"role": "system", "content": text}]
    return PromptFile.model_validate({"template_format": "jinja2", "messages": messages, **more})


PROMPTS = {
    **{text: prompt(text) for text in "vwxyz"},
    "x#": prompt("x", description="which the vendor cannot hold"),
    "y#": prompt("y", description="which the vendor cannot hold"),
    "bad": prompt("bad", metadata={"model": "a key that the vendor uses itself"}),
    "named": prompt("x", name="Another name"),
    "left": prompt("x", tags=["left"]),
    "right": prompt("right"),
}


def document(text: str, slug: str = "p") -> dict[str, Any]:
    return LENS.project(PROMPTS[text], slug)


def seen(*texts: str, tags: dict[str, str] | None = None, slug: str = "p", id_: str = "1") -> RemoteEntry:
    """A prompt whose versions 1, 2 ... say ``texts``."""
    versions = {str(n): SeenVersion(text, digest_of(document(text, slug))) for n, text in enumerate(texts, 1)}
    newest = document(texts[-1], slug)
    return RemoteEntry(id_, newest["prompt_name"], "", str(len(texts)), "", newest, versions, tags or {})


def base(*texts: str, tags: dict[str, str] | None = None, is_seen: bool = True, **more: Any) -> BaseEntry:
    """Agreed on versions 1, 2 ...; our text is the last one."""
    versions = {str(n): KnownVersion(text, digest_of(document(text))) for n, text in enumerate(texts, 1)}
    head = str(len(texts))
    return BaseEntry(texts[-1], Link("1", "p", head, versions[head].document, versions, tags or {}, **more), is_seen)


@dataclass
class Case:
    """B, L and R of the prompt ``p``, and what else there is."""

    base: BaseEntry | None = None
    local: str | None = None
    seen: RemoteEntry | None = None
    tags: dict[str, LocalTag] = field(default_factory=dict)
    history: tuple[str, ...] = ()
    """L's versions 1, 2 ...; by default only the newest."""
    problem: str | None = None
    more: dict[str, Any] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    vendor: Vendor = VENDOR

    def trees(self) -> Trees:
        entry = LocalEntry(self.local, self.tags, self.problem) if self.local else None
        history = self.history or ((self.local,) if self.local else ())
        values: dict[str, Any] = {
            "base": {"p": self.base} if self.base else {},
            "local": {"p": entry} if entry else {},
            "seen": {"p": self.seen} if self.seen else {},
            "prompts": PROMPTS,
            "numbers": {"p": {blob: number for number, blob in enumerate(history, 1)}},
        }
        return Trees("acme", **{**values, **self.more})

    def contents(self) -> Plan:
        return plan_contents(self.trees(), self.vendor, self.policy)

    def all(self) -> Plan:
        contents = self.contents()
        return contents.joined(plan_tags(self.trees(), self.vendor, self.policy, contents))


def said(plan: Plan) -> str:
    """A plan in words: ``update-remote y``, ``conflict messages[0].content``, ``held``."""
    actions = [f"{a.kind} {a.blob or ''}".strip() for a in plan.actions if a.tag is None]
    actions += [f"{a.kind} {a.tag}={a.expected or a.blob or ''}".strip("=") for a in plan.actions if a.tag]
    conflicts = [f"conflict {conflict.field}".strip() for conflict in plan.conflicts]
    return ", ".join([*actions, *conflicts, *("held" for _ in plan.held)])


def without(**capabilities: bool) -> Vendor:
    return replace(VENDOR, capabilities=replace(VENDOR.capabilities, **capabilities))


CONTENT = "messages[0].content"
FLAG = frozenset({"p"})


@pytest.mark.parametrize(
    ("b", "l", "r", "expected"),
    [
        # never agreed
        ("-", "-", "-", ""),
        ("-", "x", "-", "create-remote x"),
        ("-", "-", "x", "create-local x"),
        ("-", "x", "x", "link x"),
        ("-", "x#", "x", "link x#"),
        ("-", "x", "y", f"conflict {CONTENT}"),
        # agreed on x, nothing or one side changed
        ("x", "x", "x", ""),
        ("x", "x#", "x", ""),
        ("x", "y", "x", "update-remote y"),
        ("x", "y#", "x", "update-remote y#"),
        ("x", "x", "y", "update-local y"),
        ("x", "x#", "y", "update-local y"),
        # both changed
        ("x", "y", "y", "link y"),
        ("x", "y#", "y", "link y#"),
        ("x", "y", "z", f"conflict {CONTENT}"),
        ("x", "left", "right", "merge left"),
        # deleted here
        ("x", "-", "x", "held"),
        ("x", "-", "y", "conflict"),
        # R is not known: nothing follows
        ("x", "x", "-", ""),
        ("x", "y", "-", ""),
        ("x", "-", "-", ""),
        # what the vendor cannot hold
        ("-", "bad", "-", "held"),
        ("-", "bad", "x", "held"),
        ("x", "bad", "x", "held"),
        ("x", "bad", "y", "held"),
        # it cannot rename
        ("x", "named", "x", "held"),
    ],
)
def test_contents(b: str, l: str, r: str, expected: str) -> None:  # noqa: E741
    agreed = None if b == "-" else base(b)
    there = None if r == "-" else seen(*([b, r] if b not in {"-", r} else [r]))
    assert said(Case(agreed, None if l == "-" else l, there).contents()) == expected


@pytest.mark.parametrize(
    ("b", "l", "r", "expected"),
    [
        ("-", "-", "x", "held"),
        ("-", "x", "-", "create-remote x"),
        ("-", "x", "x", "link x"),
        ("-", "x", "y", "held"),
        ("x", "x", "x", ""),
        ("x", "y", "x", "update-remote y"),
        ("x", "x", "y", "held"),
        ("x", "y", "y", "link y"),
        ("x", "y", "z", "held"),
        ("x", "left", "right", "held"),
        ("x", "-", "x", "held"),
        ("x", "-", "y", "held"),
    ],
)
def test_what_waits_is_not_pulled_over(b: str, l: str, r: str, expected: str) -> None:  # noqa: E741
    agreed = None if b == "-" else base(b)
    there = None if r == "-" else seen(*([b, r] if b not in {"-", r} else [r]))
    case = Case(agreed, None if l == "-" else l, there, more={"waiting": {"p": "its file has uncommitted edits"}})
    assert said(case.contents()) == expected


@pytest.mark.parametrize(
    ("b", "l", "r", "expected"),
    [
        ("x", "x", "x", ""),
        ("x", "x", "y", "update-local y"),
        ("x", "w", "x", "held"),
        ("x", "w", "y", "held"),
        ("x", "-", "x", "held"),
        ("x", "-", "y", "held"),
    ],
)
def test_a_base_this_branch_has_not_seen(b: str, l: str, r: str, expected: str) -> None:  # noqa: E741
    case = Case(base(b, is_seen=False), None if l == "-" else l, seen(*([b, r] if b != r else [r])))
    assert said(case.contents()) == expected


@pytest.mark.parametrize(
    ("b", "l", "is_seen", "expected"),
    [
        ("x", "x", True, "delete-local x"),
        ("x", "x#", True, "conflict"),
        ("x", "y", True, "conflict"),
        ("x", "bad", True, "conflict"),
        ("x", "-", True, "link"),
        ("x", "w", False, "held"),
        ("x", "-", False, "held"),
        ("-", "-", True, "link"),
        ("-", "y", True, "create-remote y"),
    ],
)
def test_gone_at_the_vendor(b: str, l: str, is_seen: bool, expected: str) -> None:  # noqa: E741
    case = Case(
        None if b == "-" else base(b, is_seen=is_seen),
        None if l == "-" else l,
        seen("x"),
        more={"vanished": FLAG, "gone": FLAG},
    )
    assert said(case.contents()) == expected


@pytest.mark.parametrize(("b", "l"), [("-", "-"), ("-", "y"), ("x", "x"), ("x", "y"), ("x", "-")])
def test_vanished_but_not_proven(b: str, l: str) -> None:  # noqa: E741
    agreed = None if b == "-" else base(b)
    case = Case(agreed, None if l == "-" else l, seen("x"), more={"vanished": FLAG})
    assert said(case.contents()) == "held"


@pytest.mark.parametrize(("b", "l", "r"), [("-", "x", "-"), ("x", "y", "x"), ("x", "x", "y"), ("x", "-", "x")])
def test_in_doubt_nothing_is_decided(b: str, l: str, r: str) -> None:  # noqa: E741
    agreed = None if b == "-" else base(b)
    there = None if r == "-" else seen(r)
    tags = {"production": LocalTag("c", "x", 1)}
    case = Case(agreed, None if l == "-" else l, there, tags, more={"in_doubt": FLAG})
    assert said(case.all()) == ""


PULL, PUSH = Policy(push=False), Policy(pull=False)


@pytest.mark.parametrize(
    ("policy", "b", "l", "r", "expected"),
    [
        (PULL, "-", "x", "-", ""),
        (PULL, "x", "y", "x", ""),
        (PULL, "x", "x", "y", "update-local y"),
        (PULL, "x", "left", "right", "merge left"),
        (PULL, "x", "-", "x", ""),
        (PUSH, "-", "-", "x", ""),
        (PUSH, "x", "x", "y", ""),
        (PUSH, "x", "y", "x", "update-remote y"),
        (PUSH, "x", "left", "right", "held"),
        (PUSH, "x", "y", "z", f"conflict {CONTENT}"),
        (Policy(allow_delete=True), "x", "-", "x", "delete-remote"),
        (Policy(allow_delete=True), "x", "-", "y", "conflict"),
        (Policy(covers=lambda _: False), "x", "y", "z", ""),
    ],
)
def test_policies(policy: Policy, b: str, l: str, r: str, expected: str) -> None:  # noqa: E741
    agreed = None if b == "-" else base(b)
    there = None if r == "-" else seen(*([b, r] if b not in {"-", r} else [r]))
    assert said(Case(agreed, None if l == "-" else l, there, policy=policy).contents()) == expected


def test_a_pull_only_run_deletes_nothing_it_may_not() -> None:
    gone = {"vanished": FLAG, "gone": FLAG}
    assert said(Case(base("x"), "x", seen("x"), more=gone, policy=PULL).contents()) == "delete-local x"
    assert said(Case(base("x"), "x", seen("x"), more=gone, policy=PUSH).contents()) == ""


@pytest.mark.parametrize(
    ("lacks", "b", "l", "r", "expected"),
    [
        ("write", "-", "x", "-", ""),
        ("write", "x", "y", "x", "held"),
        ("write", "x", "x", "y", "update-local y"),
        ("write", "x", "left", "right", "merge left"),
        ("delete", "x", "-", "x", "held"),
    ],
)
def test_capabilities(lacks: str, b: str, l: str, r: str, expected: str) -> None:  # noqa: E741
    agreed = None if b == "-" else base(b)
    there = None if r == "-" else seen(*([b, r] if b not in {"-", r} else [r]))
    policy = Policy(allow_delete=True)
    case = Case(agreed, None if l == "-" else l, there, policy=policy, vendor=without(**{lacks: False}))
    assert said(case.contents()) == expected


def test_a_vendor_that_can_rename_is_sent_the_new_name() -> None:
    case = Case(base("x"), "named", seen("x"), vendor=without(rename=True))
    assert said(case.contents()) == "update-remote named"


def test_an_invalid_file_is_held_whatever_else() -> None:
    for agreed, there in ((None, None), (base("x"), seen("x")), (base("x"), seen("x", "y"))):
        assert said(Case(agreed, "x", there, problem="line 3: no").contents()) == "held"


def test_what_was_published_over_comes_first() -> None:
    """Version 2 came unseen before our 3; a newer 4 waits until it is merged."""
    agreed = base("x", "right", "left", unmerged=(Unmerged("2", "x"),))
    for there in (seen("x", "right", "left"), seen("x", "right", "left", "z")):
        plan = Case(agreed, "left", there).contents()
        assert said(plan) == "merge left"
        assert plan.actions[0].expected == "2"
    assert said(Case(agreed, None, there).contents()) == "conflict"
    gone = {"vanished": FLAG, "gone": FLAG}
    assert said(Case(agreed, "left", there, more=gone).contents()) == "conflict"


def test_a_name_in_use() -> None:
    other = seen("named", slug="q", id_="7")
    q = {"q": LocalEntry("named")}
    assert said(Case(local="named", more={"seen": {"q": other}}).contents()) == "create-local named, held"
    both = Case(more={"local": {"p": LocalEntry("named"), **q}, "seen": {}})
    assert said(both.contents()) == "held, held"
    hidden = Case(local="x", more={"blocked": {"p": "9"}})
    assert said(hidden.contents()) == "held"
    assert "id 9" in hidden.contents().held[0].reason


def test_what_only_the_vendor_holds_is_no_conflict() -> None:
    """Of two that never met: below `vendors` it has something, and we have nothing."""
    plain = document("x")
    more = LENS.normalise({**plain, "prompt_template": {**plain["prompt_template"], "odd": 1}})
    there = replace(seen("x"), document=more, versions={"1": SeenVersion("x", digest_of(more))})
    case = Case(local="x", seen=there)
    assert said(case.contents()) == "merge x"
    assert "odd" in str(case.contents().actions[0].data["vendors"])  # type: ignore[index]
    assert said(Case(local="x", seen=there, vendor=without(write=False)).contents()) == "link x"
    assert said(Case(local="y", seen=there).contents()).startswith("conflict")


def test_a_runaway_is_held() -> None:
    case = Case(base("x"), "y", seen("x"), more={"runaway": FLAG})
    assert said(case.contents()) == "held"


def test_a_prompt_that_cannot_be_planned_stops_no_other() -> None:
    class Fails:
        def __getattr__(self, name: str) -> Any:
            return getattr(LENS, name)

        def lift(self, document: dict[str, Any], slug: str, old: PromptFile | None) -> PromptFile:
            if slug == "p":
                raise BadResponse("not a document")
            return LENS.lift(document, slug, old)

    more = {
        "base": {"p": base("x"), "q": base("x")},
        "local": {"p": LocalEntry("x"), "q": LocalEntry("x")},
        "seen": {"p": seen("x", "y"), "q": seen("x", "y")},
    }
    plan = Case(more=more, vendor=replace(VENDOR, lens=Fails())).contents()  # type: ignore[arg-type]
    assert [(action.slug, action.kind) for action in plan.actions] == [("q", "update-local")]
    assert [(held.slug, held.reason) for held in plan.held] == [("p", "not a document")]


# --- tags


def at(text: str, version: int | None) -> LocalTag:
    return LocalTag(f"commit of {text}", text, version)


PLACES = {"-": None, "1": at("x", 1), "2": at("y", 2)}


@pytest.mark.parametrize(
    ("b", "l", "r", "expected"),
    [
        ("-", "-", "-", ""),
        ("-", "1", "-", "tag-remote t=1"),
        ("-", "-", "1", "tag-local t=1"),
        ("-", "1", "1", "link t=1"),
        ("-", "1", "2", "conflict tag:t"),
        ("1", "1", "1", ""),
        ("1", "2", "1", "tag-remote t=2"),
        ("1", "1", "2", "tag-local t=2"),
        ("1", "2", "2", "link t=2"),
        ("1", "-", "1", "untag-remote t"),
        ("1", "1", "-", "untag-local t"),
        ("1", "-", "-", "link t"),
        ("1", "-", "2", "conflict tag:t"),
        ("1", "2", "-", "conflict tag:t"),
    ],
)
def test_tags(b: str, l: str, r: str, expected: str) -> None:  # noqa: E741
    agreed = base("x", "y", tags={} if b == "-" else {"t": b})
    there = seen("x", "y", tags={} if r == "-" else {"t": r})
    place = PLACES[l]
    case = Case(agreed, "y", there, {"t": place} if place else {}, ("x", "y"))
    assert said(case.all()) == expected


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        # several versions say the same: the one that was agreed on, or the vendor's own
        (Case(base("x", "y", "x", tags={"t": "1"}), "x", seen("x", "y", "x", tags={"t": "1"}), {"t": at("x", 1)}), ""),
        (Case(base("x", "y", "x", tags={"t": "3"}), "x", seen("x", "y", "x", tags={"t": "3"}), {"t": at("x", 3)}), ""),
        # directions
        (Case(base("x"), "x", seen("x"), {"t": at("x", 1)}, policy=PULL), ""),
        (Case(base("x"), "x", seen("x", tags={"t": "1"}), policy=PUSH), ""),
        (Case(base("x"), "x", seen("x"), {"t": at("x", 1)}, policy=Policy(covers_tag=lambda _: False)), ""),
        # what the vendor cannot do
        (Case(base("x"), "x", seen("x"), {"t": at("x", 1)}, vendor=without(tags=False)), ""),
        (Case(base("x", tags={"t": "1"}), "x", seen("x", tags={"t": "1"}), vendor=without(untag=False)), "held"),
        # ruling 4: a text that is no version on L
        (Case(base("x"), "x", seen("x"), {"t": at("y", None)}), "held"),
        # an older version that is not there
        (Case(base("y"), "y", seen("y"), {"t": at("x", 1)}, ("x", "y")), "held"),
        (
            Case(base("y"), "y", seen("y"), {"t": at("x", 1)}, ("x", "y"), policy=Policy(republish=True)),
            "update-remote x, update-remote y",
        ),
        (
            Case(
                base("y"),
                "y",
                seen("y"),
                {"t": at("x", 1)},
                ("x", "y"),
                policy=Policy(republish=True),
                vendor=without(write=False),
            ),
            "held",
        ),
        # an older version that says what the newest says, but for something that the vendor cannot hold
        (
            Case(None, "x", None, {"t": at("x#", 1)}, ("x#", "x"), policy=Policy(republish=True)),
            "create-remote x, tag-remote t=x#",
        ),
        # an older version that had another name, or was no prompt
        (Case(base("y"), "y", seen("y"), {"t": at("named", 1)}, ("named", "y"), policy=Policy(republish=True)), "held"),
        (Case(base("y"), "y", seen("y"), {"t": at("?", 1)}, ("?", "y"), policy=Policy(republish=True)), "held"),
        (Case(base("x"), "y", seen("x"), {"t": at("named", 2)}, ("x", "named", "y")), "update-remote y, held"),
        # names that cannot be tags here
        (Case(base("x"), "x", seen("x", tags={"12": "1"})), "held"),
        (Case(base("x"), "x", seen("x", tags={"latest": "1"})), "held"),
        # a version that could not be read
        (Case(base("x"), "x", seen("x", tags={"t": "5"})), "held"),
        # a vendor version that never came to the branch
        (Case(base("v", "y"), "y", seen("v", "y", tags={"t": "1"}), history=("y",)), "tag-local t=1"),
        # contents first
        (Case(base("x"), "y", seen("x"), {"t": at("y", 1)}), "update-remote y, tag-remote t=y"),
        (Case(None, "x", None, {"t": at("x", 1)}), "create-remote x, tag-remote t=x"),
        (Case(base("x"), "y", seen("x", "z"), {"t": at("x", 1)}), f"conflict {CONTENT}"),
        # what is held keeps only its newest text back
        (Case(base("x"), "bad", seen("x"), {"t": at("x", 1)}), "tag-remote t=1, held"),
        (Case(base("x"), "bad", seen("x"), {"t": at("bad", 2)}, ("x", "bad")), "held, held"),
    ],
)
def test_tags_and_the_rest(case: Case, expected: str) -> None:
    assert said(case.all()) == expected


def test_a_name_that_another_prompt_has_there_is_not_taken_by_a_rename() -> None:
    more = {"seen": {"p": seen("x"), "q": replace(seen("y", slug="q", id_="2"), name="Another name")}}
    case = Case(base("x"), "named", seen("x"), more=more, vendor=without())
    renaming = replace(VENDOR, capabilities=replace(VENDOR.capabilities, rename=True))
    plan = replace(case, vendor=renaming).contents()
    assert [held.slug for held in plan.held if "its name 'Another name' is used by" in held.reason] == ["p"]
    assert [action for action in plan.actions if action.slug == "p"] == []


def test_two_that_met_unseen_differ_in_all_that_one_side_would_lose() -> None:
    """Ours was published over theirs, and both were new: one of them is taken as a whole."""
    theirs, ours = "left", "right"
    link = replace(base(theirs, ours).link, unmerged=(Unmerged("1", ""),))
    plan = Case(BaseEntry(ours, link), ours, seen(theirs, ours)).contents()
    assert [conflict.field for conflict in plan.conflicts] == ["tags", CONTENT]
    assert plan.actions == ()


def test_a_deletion_is_shown_the_text_that_ours_was_published_over() -> None:
    link = replace(base("x", "y").link, unmerged=(Unmerged("1", ""),))
    plan = Case(BaseEntry("y", link), None, seen("x", "y"), policy=Policy(allow_delete=True)).contents()
    assert [conflict.theirs["messages"][0]["content"] for conflict in plan.conflicts] == ["x"]
    assert plan.actions == ()


def test_a_text_that_ours_was_published_over_is_shown_though_ours_cannot_go_there() -> None:
    link = replace(base("x", "y").link, unmerged=(Unmerged("1", ""),))
    plan = Case(BaseEntry("y", link), "bad", seen("x", "y")).contents()
    assert [conflict.theirs for conflict in plan.conflicts if conflict.field == CONTENT] == ["x"]


def test_a_tag_on_a_text_that_is_sent_as_the_vendors_newest_sends_nothing() -> None:
    """Though the vendor keeps what it was sent in a spelling of its own."""
    spelt = {**document("y"), "metadata": {"kept": "by the vendor"}}
    digest, there, agreed = digest_of(spelt), seen("x", "y"), base("x", "y").link
    versions = {**there.versions, "2": replace(there.versions["2"], document=digest)}
    known = {**agreed.versions, "2": KnownVersion("y", digest)}
    entry = BaseEntry("y", replace(agreed, versions=known, document=digest))
    now = replace(there, document=spelt, versions=versions)
    case = Case(entry, "y#", now, {"t": at("y#", 3)}, ("x", "y", "y#"))
    assert said(replace(case, policy=Policy(republish=True)).all()) == "tag-remote t=2"


def test_an_older_text_does_not_take_a_name_that_another_prompt_has_by_now() -> None:
    more = {"seen": {"p": seen("y"), "q": replace(seen("y", slug="q", id_="2"), name="Another name")}}
    renaming = replace(VENDOR, capabilities=replace(VENDOR.capabilities, rename=True))
    tags = {"t": at("named", 1)}
    case = Case(base("y"), "y", None, tags, ("named", "y"), more=more, policy=Policy(republish=True), vendor=renaming)
    assert [action for action in case.all().actions if action.slug == "p"] == []
    assert ["is " in held.reason for held in case.all().held] == [True]


def test_no_tagged_version_is_sent_where_nobody_knows_whether_it_is_newer_than_the_agreed_one() -> None:
    """The agreed text came by a merge, beside the line that is numbered."""
    case = Case(base("v"), "y", seen("v"), {"t": at("x", 1)}, ("x", "y"))
    assert said(case.all()) == "update-remote y, held"


def test_tagged_versions_are_published_in_order_before_the_newest() -> None:
    tags = {"b": at("y", 3), "a": at("w", 2), "old": at("x", 1), "new": at("z", 4)}
    case = Case(None, "z", None, tags, ("x", "w", "y", "z"))
    assert said(case.contents()) == "create-remote x, create-remote w, create-remote y, create-remote z"
    linked = Case(base("w"), "z", seen("w"), tags, ("x", "w", "y", "z"))
    assert said(linked.contents()) == "update-remote y, update-remote z"
    same = Case(None, "z", None, {"a": at("z", 2), "b": at("bad", 1)}, ("bad", "z"))
    assert said(same.contents()) == "create-remote z"


def test_a_tagged_text_that_came_back_is_published_once() -> None:
    tags = {"a": at("x", 1), "b": at("y", 2), "c": at("y#", 4)}
    case = Case(None, "x", None, tags, ("x", "y", "z", "y#", "x"))
    assert said(case.contents()) == "create-remote y, create-remote x"


def test_after_a_merge_older_tagged_versions_are_not_sent() -> None:
    agreed = replace(base("y", "right"), link=replace(base("y", "right").link, proof="z"))
    case = Case(agreed, "z", seen("y", "right"), {"old": at("x", 1)}, ("x", "y", "z"))
    assert said(case.contents()) == "update-remote z"


def test_equal_plans_have_equal_ids() -> None:
    one, other = (Case(base("x"), text, seen("x")).contents() for text in ("y", "z"))
    assert one.plan_id == Case(base("x"), "y", seen("x")).contents().plan_id
    assert one.plan_id != other.plan_id


AGAIN = Policy(republish=True)


def test_each_older_version_is_sent_again_once_and_the_newest_after_all_of_them() -> None:
    tags = {"a": at("x", 1), "b": at("v", 2), "c": at("x", 1)}
    case = Case(base("y"), "y", seen("y"), tags, ("x", "v", "y"), policy=AGAIN)
    assert said(case.all()) == "update-remote x, update-remote v, update-remote y"


def test_an_edit_goes_out_once_behind_the_older_version_that_is_sent_again() -> None:
    case = Case(base("w"), "y", seen("w"), {"t": at("x", 1)}, ("x", "w", "y"), policy=AGAIN)
    assert said(case.all()) == "update-remote x, update-remote y, tag-remote t=x"


def test_nothing_is_sent_again_over_an_edit_there() -> None:
    tags = {"t": at("x", 1)}
    for policy, expected in ((AGAIN, "update-local z, held"), (Policy(pull=False, republish=True), "held")):
        assert said(Case(base("y"), "y", seen("y", "z"), tags, ("x", "y"), policy=policy).all()) == expected
