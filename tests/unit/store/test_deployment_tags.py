"""Deployment tags: any name a vendor may use, each move kept, following renames."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repos import chat, commit, git, make_store

from promptstore import Store, TagNotFound
from promptstore.errors import RefMoved, UsageError
from promptstore.store.address import parse_address
from promptstore.store.git.commits import Identity, NewCommit
from promptstore.store.git.refs import RefMove
from promptstore.store.refnames import encode_tag, parse_tag_ref, tag_problem, tag_ref
from promptstore.store.tagging import NewPlace, delete_tag, move_tags, set_tag, tag_history
from promptstore.store.tags import TagMove

NAMES = [
    "a/b",
    "v1.2",
    "..",
    ".",
    ".hidden",
    "a..b",
    "dot.",
    "prod.lock",
    "lock",
    ".lock",
    "a.lock/b",
    "two words",
    "größer",
    "生产",
    "🚀",
    "~^:?*[",
    "back\\slash",
    "@",
    "a@{b}",
    "-",
    "-dash",
    "--",
    "HEAD",
    "main",
    "%41",
    "%",
    "1.0",
    "v1",
    "x²",
    "²",
    "line\u2028separator",
    "next\x85line",
    "Slug: a",
    '"quoted"',
    "'",
    "~",
]
Puts = Callable[[Store, str, list[str]], None]
"""``(store, prompt, tags)``"""
WHEN = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)


def put(store: Store, address: str, tag: str, why: str = "") -> int | None:
    return set_tag(store, store.locate(parse_address(address)), tag, why)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = make_store(tmp_path, prompts={"a": chat("one")})
    commit(tmp_path, {"a": chat("two")})
    commit(tmp_path, {"a": chat("three")})
    return store


# --- names


def put_together(store: Store, address: str, names: list[str]) -> None:
    located = store.locate(parse_address(address))
    move_tags(store, [NewPlace(located.slug, n, located.commit, located.version, f"why {n}") for n in names])


def put_each(store: Store, address: str, names: list[str]) -> None:
    for name in names:
        put(store, address, name, f"why {name}")


def delete_together(store: Store, slug: str, names: list[str]) -> None:
    move_tags(store, [NewPlace(slug, name, None, None, "") for name in names])


def delete_each(store: Store, slug: str, names: list[str]) -> None:
    for name in names:
        delete_tag(store, slug, name)


@pytest.mark.parametrize(
    ("puts", "deletes"),
    [(put_together, delete_together), pytest.param(put_each, delete_each, marks=pytest.mark.slow)],
    ids=["together", "one by one"],
)
def test_every_name_a_vendor_may_use_is_a_tag(store: Store, tmp_path: Path, puts: Puts, deletes: Puts) -> None:
    puts(store, "a@2", NAMES)
    assert store.tags("a") == dict.fromkeys(NAMES, 2)
    for name in NAMES:
        assert store.get("a", tag=name).version == 2
    git(tmp_path, "pack-refs", "--all")
    git(tmp_path, "fsck", "--no-dangling")
    fresh = Store.open(tmp_path)
    assert fresh.tags("a") == dict.fromkeys(NAMES, 2)
    assert [(move.tag, move.why) for move in tag_history(fresh)] == [(n, f"why {n}") for n in reversed(NAMES)]
    deletes(fresh, "a", NAMES)
    assert fresh.tags("a") == {}


@given(st.text(min_size=1, max_size=60).filter(lambda tag: tag_problem(tag) is None))
def test_a_tags_ref_gives_its_name_back(tag: str) -> None:
    ref = tag_ref("some/slug", tag)
    assert parse_tag_ref(ref) == ("some/slug", tag)
    assert "/" not in encode_tag(tag)
    assert re.fullmatch(r"[A-Za-z0-9._%-]+", encode_tag(tag))
    assert not re.search(r"^\.|\.\.|\.$|\.lock$", encode_tag(tag))


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_different_tags_have_different_refs(one: str, other: str) -> None:
    assert (encode_tag(one) == encode_tag(other)) == (one == other)


@pytest.mark.parametrize(
    "name", ["1", "007", "latest", "working", "", " a", "a ", "a\nb", "a\tb", "x" * 300, "生" * 80]
)
def test_names_that_would_mean_something_else_are_refused(store: Store, name: str) -> None:
    with pytest.raises(UsageError) as error:
        put(store, "a", name)
    assert error.value.exit_code == 2
    assert error.value.hint
    assert store.tags("a") == {}


def test_a_tag_with_slashes_and_a_prompt_below_the_other_never_collide(store: Store, tmp_path: Path) -> None:
    commit(tmp_path, {"a/b": chat("below"), "a/b/c": chat("deep")})
    put(store, "a@1", "b/c")
    put(store, "a@2", "b")
    put(store, "a/b@1", "c")
    put(store, "a/b/c@1", "b")
    assert store.tags("a") == {"b": 2, "b/c": 1}
    assert store.tags("a/b") == {"c": 1}
    assert store.get("a/b", tag="c").messages[0].content == "below"  # type: ignore[index]


def test_a_tag_wins_over_a_git_revision(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "branch", "stable", "HEAD~1")
    assert store.get("a", rev="stable").version == 2
    put(store, "a@1", "stable")
    assert store.get("a", rev="stable").version == 1


def test_a_branch_is_no_tag(store: Store) -> None:
    with pytest.raises(TagNotFound):
        store.get("a", tag="main")


# --- moves and their history


def test_every_move_is_kept_newest_first(store: Store) -> None:
    assert put(store, "a@1", "production", "first") is None
    assert put(store, "a@3", "production", "better\n\nand longer: with a colon") == 1
    assert put(store, "a@2", "production") == 3
    assert delete_tag(store, "a", "production", "gone") == 2
    moves = tag_history(store, "a")
    assert [(m.old, m.new, m.why) for m in moves] == [
        (2, None, "gone"),
        (3, 2, ""),
        (1, 3, "better\n\nand longer: with a colon"),
        (None, 1, "first"),
    ]
    assert {m.who for m in moves} == {"Ann <ann@example.com>"}
    assert moves[0].as_json() == {
        "slug": "a",
        "tag": "production",
        "from": 2,
        "to": None,
        "who": "Ann <ann@example.com>",
        "when": moves[0].when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "why": "gone",
        "remote": None,
    }


def test_a_move_from_a_remote_says_so(store: Store) -> None:
    who = Identity("Böb Ünï", "bob@example.com", WHEN)
    place = store.locate(parse_address("a@2"))
    move_tags(store, [NewPlace("a", "production", place.commit, 2, "by the vendor", "acme")], who)
    assert tag_history(store)[0] == TagMove(
        "a", "production", None, 2, None, place.commit, "Böb Ünï <bob@example.com>", WHEN, "by the vendor", "acme"
    )


@pytest.mark.parametrize("setting", [("i18n.logOutputEncoding", "ISO-8859-1"), ("log.showSignature", "true")])
def test_the_history_reads_the_same_under_other_settings(
    store: Store, tmp_path: Path, setting: tuple[str, str]
) -> None:
    put(store, "a@1", "größer", "weil – größer")
    git(tmp_path, "config", *setting)
    assert [(m.tag, m.why) for m in tag_history(store)] == [("größer", "weil – größer")]


@pytest.mark.parametrize("why", ["one\x01two\x02three", "Slug: b\nTag: x", "\n\n  \n", "Tag: z", "ends\n\n"])
def test_no_reason_given_can_garble_the_history(store: Store, why: str) -> None:
    put(store, "a@1", "production", why)
    put(store, "a@2", "production", "after")
    moves = tag_history(store)
    assert [(m.slug, m.tag, m.old, m.new) for m in moves] == [("a", "production", 1, 2), ("a", "production", None, 1)]


def test_setting_a_tag_where_it_stands_writes_nothing(store: Store) -> None:
    put(store, "a@2", "production")
    before = tag_history(store)
    assert put(store, "a@2", "production") == 2
    assert tag_history(store) == before


def test_many_tags_move_together(store: Store) -> None:
    commits = {n: store.locate(parse_address(f"a@{n}")).commit for n in (1, 2)}
    move_tags(store, [NewPlace("a", f"t{n}", commits[n % 2 + 1], n % 2 + 1) for n in range(40)])
    assert store.tags("a") == {f"t{n}": n % 2 + 1 for n in range(40)}
    assert len(tag_history(store, "a")) == 40


def test_of_two_who_move_a_tag_at_once_one_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    place = store.locate(parse_address("a@1"))
    move, first = store.refs.move, []

    def overtaken(moves: list[RefMove], reason: str) -> None:
        if not first and any("refs/prompts/" in one.name for one in moves):
            first.append(True)
            Store.open(store.root).refs.move([RefMove(tag_ref("a", "p"), place.commit, None)], "the other")
        move(moves, reason)

    monkeypatch.setattr(store.refs, "move", overtaken)
    with pytest.raises(RefMoved):
        put(store, "a@2", "p")
    assert store.tags("a") == {"p": 1}


def test_taking_away_a_tag_that_is_not_there_names_those_that_are(store: Store) -> None:
    put(store, "a", "staging")
    with pytest.raises(TagNotFound) as error:
        delete_tag(store, "a", "stagin")
    assert "staging" in error.value.hint


# --- renames


def renamed(tmp_path: Path, old: str, new: str) -> None:
    git(tmp_path, "mv", f"prompts/{old}.yaml", f"prompts/{new}.yaml")
    git(tmp_path, "commit", "-qm", f"{old} is {new}")


def test_tags_follow_a_rename(store: Store, tmp_path: Path) -> None:
    put(store, "a@2", "production")
    renamed(tmp_path, "a", "b")
    assert store.tags("b") == {"production": 2}
    assert store.get("b", tag="production").messages[0].content == "two"  # type: ignore[index]
    put(store, "b@3", "production")
    assert store.tags("b") == {"production": 3}
    assert [(m.old, m.new) for m in tag_history(store, "b")] == [(2, 3), (None, 2)]
    assert delete_tag(store, "b", "production") == 3
    assert store.tags("b") == {}
    assert store.tags("a") == {}


def test_tags_follow_a_rename_and_the_way_back(store: Store, tmp_path: Path) -> None:
    put(store, "a@2", "production")
    renamed(tmp_path, "a", "b")
    put(store, "b@3", "staging")
    renamed(tmp_path, "b", "a")
    assert store.tags("a") == {"production": 2, "staging": 3}
    put(store, "a@1", "canary")
    assert store.tags("a") == {"production": 2, "staging": 3, "canary": 1}
    assert store.get("a", tag="production").messages[0].content == "two"  # type: ignore[index]


def test_a_tag_of_the_new_name_wins_over_one_of_the_old(store: Store, tmp_path: Path) -> None:
    put(store, "a@1", "production")
    renamed(tmp_path, "a", "b")
    version = store.locate(parse_address("b@2"))
    store.refs.move([RefMove(tag_ref("b", "production"), version.commit, None)], "as another clone did it")
    assert store.tags("b") == {"production": 2}
    put(store, "b@3", "staging")
    assert store.tags("b") == {"production": 2, "staging": 3}


def test_a_new_prompt_under_the_old_name_has_its_own_tags(store: Store, tmp_path: Path) -> None:
    put(store, "a@2", "production")
    renamed(tmp_path, "a", "b")
    put(store, "b@2", "staging")
    commit(tmp_path, {"a": chat("a new one that is nothing like the old one at all, not in one word")})
    put(store, "a", "canary")
    assert store.tags("b") == {"production": 2, "staging": 2}
    assert store.tags("a") == {"canary": 4}


# --- commits of their own


def own_commit(store: Store, text: str) -> str:
    who = Identity("Vera", "vera@example.com", WHEN)
    files = {store.layout.path("a"): chat(text).encode()}
    return store.commits.write([NewCommit(None, who, who, "from the vendor", files)])[0]


def test_a_tag_may_stand_at_a_commit_that_never_came_to_the_branch(store: Store, tmp_path: Path) -> None:
    oid = own_commit(store, "only there")
    move_tags(store, [NewPlace("a", "vendor", oid, None, remote="acme")])
    prompt = store.get("a", tag="vendor")
    assert (prompt.version, prompt.commit) == (None, oid)
    assert prompt.messages[0].content == "only there"  # type: ignore[index]
    assert store.tags("a") == {"vendor": None}
    git(tmp_path, "gc", "-q", "--prune=now")
    assert store.get("a", tag="vendor").messages[0].content == "only there"  # type: ignore[index]


def test_such_a_tag_gets_its_number_when_the_text_comes_to_the_branch(store: Store, tmp_path: Path) -> None:
    move_tags(store, [NewPlace("a", "vendor", own_commit(store, "only there"))])
    assert [store.get("a", tag="vendor").version for _ in range(2)] == [None, None]
    commit(tmp_path, {"a": chat("only there")})
    assert store.get("a", tag="vendor").version == 4


def test_a_tag_never_disturbs_other_refs(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "tag", "production", "HEAD~1")
    put(store, "a@3", "production")
    assert git(tmp_path, "tag") == "production"
    assert git(tmp_path, "status", "--porcelain") == ""
