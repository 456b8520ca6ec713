"""The Python API: every answer is the one of now, from any thread, after any fork, and imports stay light."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from repos import chat, commit, git, make_store

import promptstore
from promptstore import (
    InvalidPrompt,
    MissingVariable,
    PromptNotFound,
    PromptStoreError,
    Store,
    TagNotFound,
    TemplateError,
    VersionNotFound,
)
from promptstore.errors import NotFound
from promptstore.store.address import parse_address
from promptstore.store.git.refs import RACY_NS
from promptstore.store.tagging import delete_tag, set_tag


def say(store: Store, slug: str = "a", **asked: object) -> str:
    return store.get(slug, **asked).messages[0].content  # type: ignore[index, arg-type, return-value]


def put(store: Store, address: str, tag: str) -> None:
    set_tag(store, store.locate(parse_address(address)), tag)


def settle() -> None:
    """Wait until what was read just now is remembered."""
    time.sleep(RACY_NS / 1e9 * 1.3)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = make_store(tmp_path, prompts={"a": chat("one")})
    commit(tmp_path, {"a": chat("two")})
    put(store, "a@1", "production")
    return store


# --- what a prompt is


def test_a_prompt_has_all_its_parts(store: Store, tmp_path: Path) -> None:
    text = (
        "name: Title\ndescription: What for\ntags: [x, y]\nmodel: {provider: openai, name: gpt-4o}\n"
        "template_format: jinja2\nmessages:\n  - {role: system, content: 'Be {{ how }}'}\n"
        "  - {role: user, content: '{{ ticket }}'}\nmetadata: {team: cx}\n"
    )
    commit(tmp_path, {"support/x": text})
    prompt = store.get("support/x")
    assert (prompt.slug, prompt.version, prompt.name, prompt.description) == ("support/x", 1, "Title", "What for")
    assert prompt.commit == git(tmp_path, "rev-parse", "HEAD")
    assert len(prompt.digest) == 64
    assert prompt.tags == ("x", "y")
    assert prompt.model is not None
    assert prompt.model.name == "gpt-4o"
    assert prompt.variables == ("how", "ticket")
    messages = prompt.render(how="kind", ticket="It is <broken>")
    assert messages == [
        {"role": "system", "content": "Be kind"},
        {"role": "user", "content": "It is <broken>"},
    ]
    assert prompt.openai(how="kind", ticket="t")["model"] == "gpt-4o"
    assert prompt.anthropic(how="kind", ticket="t")["system"]
    assert store.get("a").name == "a"


def test_rendering_is_strict_unless_told_otherwise(store: Store, tmp_path: Path) -> None:
    commit(tmp_path, {"b": chat("Hello {{ who }}")})
    prompt = store.get("b")
    with pytest.raises(MissingVariable, match="who"):
        prompt.render()
    assert prompt.render(strict=False)[0]["content"] == "Hello "
    assert prompt.render({"who": "Ann"})[0]["content"] == "Hello Ann"
    assert issubclass(MissingVariable, TemplateError)


def test_every_error_is_a_promptstore_error() -> None:
    for kind in (InvalidPrompt, MissingVariable, PromptNotFound, TagNotFound, VersionNotFound):
        assert issubclass(kind, PromptStoreError)


def test_an_invalid_prompt_says_where(store: Store, tmp_path: Path) -> None:
    commit(tmp_path, {"bad": "messages:\n  - role: nobody\n    content: x\n"})
    for _ in range(2):
        with pytest.raises(InvalidPrompt) as error:
            store.get("bad")
        assert "prompts/bad.yaml" in str(error.value.where)
        assert error.value.where.line == 2
    (tmp_path / "prompts/a.yaml").write_text("nonsense")
    with pytest.raises(InvalidPrompt):
        store.get("a", working=True)
    assert say(store) == "two"


def test_the_working_file_is_read_every_time(store: Store, tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / "prompts/a.yaml").write_text(chat(f"draft {number}"))
        assert say(store, working=True) == f"draft {number}"
    (tmp_path / "prompts/a.yaml").unlink()
    with pytest.raises(PromptNotFound):
        store.get("a", working=True)


# --- what has moved is seen


@pytest.mark.parametrize("pause", [False, True], ids=["at once", "after a while"])
@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_a_moved_tag_is_seen_by_the_very_next_call(store: Store, tmp_path: Path, packed: bool, pause: bool) -> None:
    for number in range(6):
        put(store, f"a@{number % 2 + 1}", "production")
        if packed:
            git(tmp_path, "pack-refs", "--all", "--prune")
        if pause:
            settle()
        for _ in range(3):
            assert say(store, tag="production") == ("one", "two")[number % 2]


def test_a_tag_moved_by_plain_git_in_another_process_is_seen(store: Store, tmp_path: Path) -> None:
    commits = [store.locate(parse_address(f"a@{number}")).commit for number in (1, 2)]
    for number in range(12):
        git(tmp_path, "update-ref", "refs/prompts/a/-/production", commits[number % 2])
        assert say(store, tag="production") == ("one", "two")[number % 2]


@pytest.mark.parametrize("pause", [False, True], ids=["at once", "after a while"])
@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_a_new_commit_is_seen_by_the_very_next_call(store: Store, tmp_path: Path, packed: bool, pause: bool) -> None:
    for number in range(3, 7):
        if pause:
            settle()
        assert say(store) != f"text {number}"
        commit(tmp_path, {"a": chat(f"text {number}")})
        if packed:
            git(tmp_path, "pack-refs", "--all", "--prune")
        assert say(store) == f"text {number}"
        assert store.get("a").version == number
        assert say(store, version=number) == f"text {number}"


def test_a_tag_taken_away_or_made_is_seen(store: Store) -> None:
    settle()
    assert say(store, tag="production") == "one"
    delete_tag(store, "a", "production")
    with pytest.raises(TagNotFound):
        store.get("a", tag="production")
    put(store, "a@2", "production")
    assert say(store, tag="production") == "two"


def test_a_rename_is_seen(store: Store, tmp_path: Path) -> None:
    settle()
    assert say(store, tag="production") == "one"
    git(tmp_path, "mv", "prompts/a.yaml", "prompts/b.yaml")
    git(tmp_path, "commit", "-qm", "rename")
    settle()
    assert [say(store, "b", tag="production") for _ in range(2)] == ["one", "one"]
    put(store, "b@2", "production")
    assert say(store, "b", tag="production") == "two"


def test_a_tag_of_a_text_that_comes_to_the_branch_later_gets_its_number(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "switch", "-q", "-c", "side")
    oid = commit(tmp_path, {"a": chat("three")})
    git(tmp_path, "switch", "-q", "main")
    git(tmp_path, "update-ref", "refs/prompts/a/-/side", oid)
    settle()
    assert [store.get("a", tag="side").version for _ in range(2)] == [None, None]
    git(tmp_path, "merge", "-q", "--ff-only", "side")
    assert store.get("a", tag="side").version == 3


@pytest.mark.parametrize("ref", ["HEAD", "main", "refs/heads/main", "heads/main", "alias"])
def test_another_ref_is_followed_too(store: Store, tmp_path: Path, ref: str) -> None:
    git(tmp_path, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    other = Store.open(tmp_path, ref=ref)
    settle()
    assert [say(other) for _ in range(3)] == ["two"] * 3
    commit(tmp_path, {"a": chat("three")})
    assert say(other) == "three"
    settle()
    assert [say(other) for _ in range(2)] == ["three"] * 2
    git(tmp_path, "update-ref", "refs/heads/main", "HEAD~1")
    assert say(other) == "two"


def test_a_tracking_ref_is_read_as_the_synced_branch(store: Store, tmp_path: Path) -> None:
    git(tmp_path, "update-ref", "refs/remotes/origin/main", "HEAD~1")
    other = Store.open(tmp_path, ref="origin/main")
    assert (say(other), other.get("a").version) == ("one", 1)
    with pytest.raises(NotFound) as error:
        Store.open(tmp_path, ref="origin/nowhere").get("a")
    assert error.value.hint


@pytest.mark.parametrize("ref", ["config", "index", "description", "", "nowhere", "../HEAD"])
def test_a_file_of_gits_is_no_ref(store: Store, tmp_path: Path, ref: str) -> None:
    with pytest.raises(NotFound):
        Store.open(tmp_path, ref=ref).get("a")


# --- threads and forks


def test_threads_read_while_another_process_moves_the_tag(store: Store, tmp_path: Path) -> None:
    commits = [store.locate(parse_address(f"a@{number}")).commit for number in (1, 2)]
    mover = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, subprocess, sys\n"
            "where, commits = sys.argv[1], sys.argv[2:]\n"
            "for number in range(10**9):\n"
            "    subprocess.run(['git', 'update-ref', 'refs/prompts/a/-/production', commits[number % 2]], cwd=where)\n"
            "    if number % 7 == 0: subprocess.run(['git', 'pack-refs', '--all', '--prune'], cwd=where)\n",
            str(tmp_path),
            *commits,
        ],
        stderr=subprocess.DEVNULL,
    )
    answers: list[str] = []
    failures: list[BaseException] = []

    def reads() -> None:
        try:
            answers.extend(say(store, tag="production") for _ in range(300))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test tells it
            failures.append(error)

    threads = [threading.Thread(target=reads) for _ in range(8)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        mover.kill()
        mover.wait()
    assert failures == []
    assert len(answers) == 8 * 300
    assert set(answers) <= {"one", "two"}


def test_threads_read_many_different_prompts_at_once(tmp_path: Path) -> None:
    store = make_store(tmp_path, prompts={f"p{n}": chat(f"text {n}") for n in range(30)})
    wrong: list[object] = []

    def reads(start: int) -> None:
        for step in range(60):
            number = (start * 7 + step) % 30
            try:
                if say(store, f"p{number}") != f"text {number}" or store.get(f"p{number}", version=1).version != 1:
                    wrong.append(number)
            except Exception as error:  # noqa: BLE001 - whatever it is, the test tells it
                wrong.append(error)

    threads = [threading.Thread(target=reads, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def in_child(action: Callable[[], bool]) -> bool:
    """Whether the action gave True in a forked child, within 20 seconds."""
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            code = 0 if action() else 1
        except BaseException:  # noqa: BLE001 - the child must never return into pytest
            code = 2
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_fork_reads_on_in_parent_and_child(store: Store, tmp_path: Path) -> None:
    assert say(store) == "two"
    assert in_child(lambda: say(store, version=1) == "one" and say(store, tag="production") == "one")
    assert say(store, rev="main~1") == "one"
    commit(tmp_path, {"a": chat("three")})
    assert in_child(lambda: say(store) == "three" and store.get("a").version == 3)
    assert say(store) == "three"


def test_a_fork_in_the_middle_of_another_threads_read_does_not_hang(store: Store) -> None:
    """The child has copies of locks that a thread of the parent held, and nobody who would release them."""
    assert say(store) == "two"
    locks = [store.cache._lock, store.objects._lock]
    for lock in locks:
        assert lock.acquire(timeout=5)
    try:
        assert in_child(lambda: say(store, version=1) == "one" and say(store, "a", rev="main~1") == "one")
    finally:
        for lock in locks:
            lock.release()
    assert say(store, version=1) == "one"


def test_many_children_at_once(store: Store) -> None:
    assert say(store) == "two"
    children = []
    for _ in range(6):
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            try:
                good = all(say(store, version=n % 2 + 1) == ("one", "two")[n % 2] for n in range(20))
            except BaseException:  # noqa: BLE001 - the child must never return into pytest
                good = False
            os._exit(0 if good else 1)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 6


def test_a_closed_store_opens_again_when_it_is_used(store: Store) -> None:
    assert say(store) == "two"
    store.close()
    assert say(store, version=1) == "one"
    with Store.open(store.root) as other:
        assert say(other) == "two"
    store.close()
    store.close()


def test_a_git_process_that_died_is_started_again(store: Store) -> None:
    assert say(store) == "two"
    process = store.objects._process
    assert process is not None
    process.kill()
    process.wait()
    assert say(store, version=1) == "one"


# --- the package


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, promptstore; heavy = {'pydantic', 'git', 'httpx', 'jinja2', 'ruamel', 'yaml', 'click', 'sqlite3',"
        " 'subprocess', 'importlib.metadata'}; print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_public_names() -> None:
    assert promptstore.__all__ == [
        "InvalidPrompt",
        "MissingVariable",
        "Prompt",
        "PromptNotFound",
        "PromptStoreError",
        "RevisionNotFound",
        "Store",
        "StoreNotFound",
        "TagNotFound",
        "TemplateError",
        "VersionNotFound",
    ]
    for name in promptstore.__all__:
        assert getattr(promptstore, name).__name__ == name
    assert promptstore.__version__
    with pytest.raises(AttributeError):
        promptstore.nothing  # noqa: B018
