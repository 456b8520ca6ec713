"""``conflicts`` and ``resolve`` as a user runs them; neither needs the network."""

from __future__ import annotations

import copy
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import good, run, told
from engines import Rig
from memory_vendor import MemoryWorkspace
from repos import commit, git, make_store

from promptstore.store.store import Store
from promptstore.sync.trees import Unmerged

ROLES = ("system", "user")
FIELDS = ("messages[0].content", "messages[1].content")


def two(system: str, user: str, extra: str = "") -> str:
    """A prompt file of two messages."""
    rows = zip(ROLES, (system, user), strict=True)
    messages = "".join(f'  - role: {role}  # kept\n    content: "{text}"\n' for role, text in rows)
    return f"{extra}template_format: jinja2\nmessages:\n{messages}"


def save(acme: MemoryWorkspace, name: str, system: str, user: str) -> None:
    """The same in the vendor's page."""
    rows = zip(ROLES, (system, user), strict=True)
    messages = [{"role": role, "content": text, "template_format": "jinja2"} for role, text in rows]
    acme.save(name, {"prompt_template": {"type": "chat", "messages": messages}})


Parted = tuple[Path, MemoryWorkspace]


@pytest.fixture(scope="module")
def parted(tmp_path_factory: pytest.TempPathFactory) -> Parted:
    """Two prompts were agreed on; both messages of ``p`` were then changed on both sides, differently."""
    root, acme = tmp_path_factory.mktemp("parted") / "repo", MemoryWorkspace()
    with make_store(root) as store:
        rig = Rig(store, {"acme": acme})
        commit(root, {"p": two("Be kind.", "Hello"), "q": two("Be brief.", "Bye")})
        rig.until_quiet()
        commit(root, {"p": two("Be very kind.", "Hello there"), "q": two("Be very brief.", "Bye")})
        save(acme, "p", "Be strict.", "Good day")
        save(acme, "q", "Be brief.", "Farewell")
        rig.until_quiet()
    return root, acme


@pytest.fixture
def acme(parted: Parted) -> MemoryWorkspace:
    return copy.deepcopy(parted[1])


@pytest.fixture
def rig(parted: Parted, tmp_path: Path, acme: MemoryWorkspace) -> Rig:
    """A copy of that store, to be changed."""
    shutil.copytree(parted[0], tmp_path / "repo", symlinks=True)
    return Rig(Store.open(tmp_path / "repo"), {"acme": acme}, now=1_001_000.0)


@pytest.fixture
def root(rig: Rig) -> Path:
    return Path(rig.store.root)


def contents(rig: Rig, slug: str = "p") -> list[str]:
    return [str(message["content"]) for message in rig.store.get(slug).render()]


def there(acme: MemoryWorkspace, name: str = "p") -> list[str]:
    kept = acme.by_name(name)
    assert kept is not None
    messages = kept.versions[-1].document["prompt_template"]["messages"]
    return [message["content"][0]["text"] for message in messages]


def test_conflicts_shows_each_field_with_all_three_sides(root: Path) -> None:
    found = good(root, "conflicts", "--json", code=3).document["conflicts"]
    shown = [(one["slug"], one["field"], one["base"], one["ours"], one["theirs"]) for one in found]
    assert shown == [
        ("p", FIELDS[0], "Be kind.", "Be very kind.", "Be strict."),
        ("p", FIELDS[1], "Hello", "Hello there", "Good day"),
    ]
    text = good(root, "conflicts", code=3).out
    assert all(value in text for row in shown for value in row)


def test_everything_else_is_synced_meanwhile(rig: Rig, acme: MemoryWorkspace) -> None:
    assert contents(rig, "q") == there(acme, "q") == ["Be very brief.", "Farewell"]
    assert contents(rig) == ["Be very kind.", "Hello there"]
    assert there(acme) == ["Be strict.", "Good day"]


def test_both_sides_stay_reachable_until_it_is_settled(root: Path) -> None:
    git(root, "reflog", "expire", "--expire=now", "--all")
    git(root, "gc", "-q", "--prune=now")
    assert "Be very kind." in git(root, "show", "main:prompts/p.yaml")
    assert "Be strict." in git(root, "show", "acme/main:prompts/p.yaml")
    assert "Be kind." in git(root, "show", "refs/promptstore/acme/base:p/-/prompt")
    assert "<<<<" not in (root / "prompts/p.yaml").read_text()


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_one_side_for_all_fields(rig: Rig, root: Path, acme: MemoryWorkspace, side: str) -> None:
    assert good(root, "resolve", "p", f"--{side}").out.count(f": {side}\n") == 2
    good(root, "conflicts")
    rig.until_quiet()
    expected = ["Be very kind.", "Hello there"] if side == "ours" else ["Be strict.", "Good day"]
    assert contents(rig) == there(acme) == expected


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_one_field_ours_and_another_theirs(rig: Rig, root: Path, acme: MemoryWorkspace, side: str) -> None:
    other = {"ours": "theirs", "theirs": "ours"}[side]
    out = good(root, "resolve", "p", f"--{side}", "--field", f"{FIELDS[1]}={other}").out
    assert f"{FIELDS[0]}: {side}" in out
    assert f"{FIELDS[1]}: {other}" in out
    good(root, "conflicts")
    rig.until_quiet()
    expected = ["Be very kind.", "Good day"] if side == "ours" else ["Be strict.", "Hello there"]
    assert contents(rig) == there(acme) == expected
    assert (root / "prompts/p.yaml").read_text().count("# kept") == 2
    assert git(root, "status", "--porcelain") == ""


def test_a_tag_and_a_text_go_different_ways(rig: Rig, root: Path, acme: MemoryWorkspace) -> None:
    git(root, "update-ref", "refs/prompts/q/-/production", git(root, "rev-list", "--max-parents=0", "main"))
    rig.sync()
    acme.label("q", "production", 2)
    git(root, "update-ref", "refs/prompts/q/-/production", "main")
    rig.until_quiet()
    found = good(root, "conflicts", "--json", code=3).document["conflicts"]
    assert "tag:production" in {one["field"] for one in found}
    good(root, "resolve", "--all", "--ours", "--field", "tag:production=theirs")
    rig.until_quiet()
    good(root, "conflicts")
    assert acme.by_name("q").labels == {"production": 2}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["p", "--ours", "--field", "model.name=theirs"], 1),
        (["p", "--ours", "--field", "model.name"], 2),
        (["p", "--ours", "--field", f"{FIELDS[0]}=both"], 2),
        (["p", "--ours", "--field", "=ours"], 2),
        (["p", "--edit", "--field", f"{FIELDS[0]}=ours"], 2),
        (["p", "--field", f"{FIELDS[0]}=ours"], 2),
        (["q", "--ours"], 1),
        (["--ours"], 2),
        (["p", "--all", "--ours"], 2),
        (["p", "--ours", "--theirs"], 2),
        (["p", "--edit", "--theirs"], 2),
    ],
)
def test_what_cannot_be(root: Path, arguments: list[str], code: int) -> None:
    before = git(root, "for-each-ref")
    ran = run(root, "resolve", *arguments)
    assert ran.code == code
    told(ran)
    assert git(root, "for-each-ref") == before


def test_a_slip_is_told_what_was_meant(root: Path) -> None:
    told(run(root, "resolve", "pp", "--ours"), "'pp' has no conflict", "did you mean 'p'?")
    told(run(root, "resolve", "p", "--edit", env={"EDITOR": "nonesuch", "VISUAL": None}), "nonesuch", "set EDITOR")


def test_at_a_first_meeting_one_side_is_taken_as_a_whole(rig: Rig, root: Path, acme: MemoryWorkspace) -> None:
    commit(root, {"new": two("Ours.", "One")})
    save(acme, "new", "Theirs.", "Two")
    rig.sync()
    told(run(root, "resolve", "new", "--ours", "--field", f"{FIELDS[0]}=theirs"), hint="--edit")
    good(root, "resolve", "new", "--theirs")
    rig.until_quiet()
    assert contents(rig, "new") == there(acme, "new") == ["Theirs.", "Two"]


def test_an_editor_shows_only_the_fields_in_conflict(rig: Rig, root: Path, acme: MemoryWorkspace) -> None:
    save(acme, "p", "Be strict.", "Hello")
    rig.sync()
    script = root.parent / "editor"
    script.write_text(
        '#!/bin/sh\ncp "$1" "$1.shown"\ncp "$1" ../shown.yaml\n'
        "sed -i -e '/^<<<<<<<\\|^=======\\|^>>>>>>>/d' -e '/Be strict/d' \"$1\"\n"
    )
    script.chmod(0o755)
    good(root, "resolve", "p", "--edit", env={"EDITOR": str(script), "VISUAL": None})
    shown = (root.parent / "shown.yaml").read_text()
    assert shown.count("<<<<<<<") == 1
    rig.until_quiet()
    assert contents(rig) == there(acme) == ["Be very kind.", "Hello there"]


def test_what_ours_went_on_top_of_and_nobody_can_read_is_passed_over_by_name(rig: Rig, root: Path) -> None:
    (session,) = rig.engine().sessions()
    session.load()
    agreed = session.agreement.prompts["q"]
    beneath = replace(agreed.link, unmerged=(Unmerged("99", agreed.blob),))
    session.agreements.write(session.agreement, {"q": replace(agreed, link=beneath)}, rig.store.user())
    status = good(root, "status", "--json", code=3).document
    assert status["remotes"]["acme"]["held"] == 1
    told(run(root, "resolve", "q", "--theirs"), "cannot be read", "--ours")
    assert "settled q" in good(root, "resolve", "q", "--ours").out
    session.load()
    assert session.agreement.prompts["q"] == agreed
