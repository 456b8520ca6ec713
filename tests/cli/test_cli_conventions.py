"""What holds for every command: help, JSON, exit codes, errors of two lines, colours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from command_line import forked, good, run, told
from repos import chat, commit, git, make_store

from promptstore.cli.commands import COMMANDS
from promptstore.cli.failure import report
from promptstore.cli.framework import LazyGroup
from promptstore.cli.run import cli
from promptstore.errors import GitError, PromptStoreError, Where

REMOTE = ["add", "list", "login", "check", "trust", "remove"]
EVERY = [[name] for name in COMMANDS] + [["remote", name] for name in REMOTE]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("conventions") / "store"
    make_store(where, "[store]\n", {"support/a": chat("one {{ x }}"), "b": "template_format: none\ncontent: text\n"})
    commit(where, {"support/a": chat("two {{ x }}")})
    return where


# --- help


def test_every_command_has_a_help_with_an_example() -> None:
    for words in EVERY:
        shown = CliRunner().invoke(cli, [*words, "--help"])
        assert shown.exit_code == 0, (words, shown.output)
        assert "Example" in shown.output, words
        assert f"promptstore {' '.join(words)}" in shown.output, words


def test_every_help_exits_0_as_a_process() -> None:
    for words in (["get"], ["remote"], ["remote", "add"], []):
        shown = good(".", *words, "--help", fresh=True)
        assert "Example" in shown.out
        assert shown.err == ""


def test_the_help_of_all_names_every_command() -> None:
    quick, whole = good(".", "--help").out, good(".", "-q", "--help").out
    assert quick == whole
    for name in COMMANDS:
        assert f"\n  {name} " in quick
    assert isinstance(cli, LazyGroup)


def test_the_version() -> None:
    from importlib.metadata import version

    assert good(".", "--version").out == f"promptstore {version('promptstore')}\n"


# --- errors


USAGE = [
    [],
    ["nonsense"],
    ["git"],
    ["get"],
    ["get", "a", "b"],
    ["get", "Not A Slug"],
    ["get", "b@"],
    ["get", "b", "--nonsense"],
    ["--nonsense"],
    ["-C", "nowhere", "list"],
    ["-C", "nowhere", "get", "b"],
    ["--color", "sometimes", "list"],
    ["tag", "b", "latest"],
    ["tag", "b", "7"],
    ["tag", "b@working", "production"],
    ["render", "support/a", "-v", "novalue"],
    ["diff"],
    ["resolve"],
    ["new", "b"],
    ["mv", "support/a", "b"],
    ["remote", "add", "Bad Name"],
    ["remote", "nonsense"],
    ["remote"],
]
FAILS = [
    (["get", "suport/a"], "support/a"),
    (["get", "b@9"], "promptstore log b"),
    (["get", "b@production"], "promptstore tag b production"),
    (["log", "nothing"], "promptstore list"),
    (["render", "support/a"], ""),
    (["untag", "b", "production"], "none"),
    (["rm", "nothing"], "promptstore list"),
    (["mv", "nothing", "other"], "promptstore list"),
    (["check", "nowhere.yaml"], "prompts/"),
    (["sync", "nowhere"], "configured"),
    (["remote", "remove", "nowhere"], "configured"),
    (["render", "b", "--vars", "nowhere.json"], ""),
]


@pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
def test_a_wrong_command_line_exits_2_and_says_what_is_right(store: Path, arguments: list[str]) -> None:
    ran = run(store, *arguments)
    assert ran.code == 2, ran
    told(ran)


@pytest.mark.parametrize(("arguments", "hint"), FAILS, ids=[" ".join(words) for words, _ in FAILS])
def test_an_error_exits_1_with_two_lines(store: Path, arguments: list[str], hint: str) -> None:
    ran = run(store, *arguments)
    assert ran.code == 1, ran
    told(ran, hint=hint)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("arguments", [*(["nonsense"], ["get", "nothing"], ["get", "b@9"], ["tag", "b", "7"])])
def test_with_json_an_error_is_a_document(store: Path, arguments: list[str], before: bool) -> None:
    ran = run(store, *(["--json", *arguments] if before else [*arguments, "--json"]))
    assert ran.code in {1, 2}
    assert ran.err == ""
    assert ran.document.keys() == {"error"}
    error = ran.document["error"]
    assert error.keys() == {"kind", "message", "hint", "where"}
    assert error["kind"] == {1: "not-found", 2: "usage"}[ran.code]
    assert isinstance(error["where"], dict)
    assert error["message"]
    assert error["hint"]


def test_outside_a_store(tmp_path: Path) -> None:
    for command in (["list"], ["get", "a"], ["status"], ["check"]):
        ran = run(tmp_path, *command)
        assert ran.code == 1
        told(ran, ".promptstore.toml", "promptstore init")
    (tmp_path / ".promptstore.toml").write_text("[store]\n")
    told(run(tmp_path, "list"), "not inside a git repository", "promptstore init")


def test_without_git(store: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for arguments in (["list"], ["-C", str(tmp_path), "init", "new"]):
        ran = run(store, *arguments, env={"PATH": str(tmp_path / "bin")})
        assert ran.code == 1, ran
        told(ran, "git", "install git")


def test_words_of_many_lines_are_told_in_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(GitError("first\nsecond\n", hint="do\nthis"), as_json=False) == 1
    assert capsys.readouterr().err == "error: first second\nhint: do this\n"
    report(PromptStoreError("no hint", where=Where(path="x\ny")), as_json=False)
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_broken_config_names_key_line_and_the_nearest(tmp_path: Path) -> None:
    make_store(tmp_path)
    (tmp_path / ".promptstore.toml").write_text("[store]\nbranch = 'main'\nprompt = 'x'\n")
    ran = run(tmp_path, "list")
    assert ran.code == 1
    told(ran, ".promptstore.toml:3:1", "'prompts'")
    (tmp_path / ".promptstore.toml").write_bytes(b"\xff\xfe")
    told(run(tmp_path, "get", "a"), ".promptstore.toml", "UTF-8")
    (tmp_path / ".promptstore.toml").write_text("[remotes.promptlayer]\nvendor = 'promptlayer'\napi_key = 'sk-1'\n")
    ran = run(tmp_path, "list")
    told(ran, ".promptstore.toml:3", "remote login")
    assert "sk-1" not in ran.err


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error(store: Path) -> None:
    for arguments in ("get b", "get b", "list", "schema", "--help"):  # the second time from the cache
        line = f"{sys.executable} -m promptstore {arguments} | true; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", line], cwd=store, capture_output=True, text=True, check=False)
        assert done.stderr == "", arguments
        assert done.returncode in {0, 141}, arguments


# --- output


JSON_KEYS = [
    (["list"], {"prompts"}),
    (["get", "support/a"], {"slug", "version", "commit", "digest", "tags", "prompt"}),
    (["get", "b@working"], {"slug", "version", "commit", "digest", "tags", "prompt"}),
    (["render", "support/a", "-v", "x=1"], {"messages"}),
    (["render", "b"], {"content"}),
    (["log", "support/a"], {"versions"}),
    (["diff", "support/a@1", "2"], {"changes"}),
    (["tags"], {"tags"}),
    (["tags", "--history"], {"moves"}),
    (["check"], {"problems"}),
    (["fmt", "--check"], {"changed"}),
    (["status"], {"working", "remotes"}),
    (["plan"], {"plan_id", "actions", "conflicts", "held", "halted"}),
    (["sync"], {"plan_id", "actions", "conflicts", "held", "halted", "errors"}),
    (["pull", "--dry-run"], {"plan_id", "actions", "conflicts", "held", "halted", "errors"}),
    (["push"], {"plan_id", "actions", "conflicts", "held", "halted", "errors"}),
    (["fetch"], {"remotes"}),
    (["conflicts"], {"conflicts"}),
    (["remote", "list"], {"remotes"}),
    (["remote", "check"], {"remotes"}),
    (["doctor"], {"findings"}),
]


@pytest.mark.parametrize(("arguments", "keys"), JSON_KEYS, ids=[" ".join(words) for words, _ in JSON_KEYS])
def test_json_is_one_document_with_the_interfaces_keys(store: Path, arguments: list[str], keys: set[str]) -> None:
    ran = run(store, *arguments, "--json")
    assert ran.code in ({0, 1} if "--check" in arguments else {0, 3}), ran
    assert keys <= ran.document.keys(), ran.document.keys()


def test_color_only_where_it_is_wanted(store: Path) -> None:
    escape = "\x1b["
    for arguments in (["log", "support/a"], ["diff", "support/a@1", "2"]):
        assert escape not in good(store, *arguments).out
        assert escape in good(store, "--color", "always", *arguments).out
        assert escape not in good(store, "--color", "never", *arguments).out
        assert escape not in good(store, "--color", "always", *arguments, "--json").out


def on_a_terminal(where: Path, env: dict[str, str], *arguments: str) -> str:
    import pty

    variables = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    main, terminal = pty.openpty()
    with open(os.devnull, "r+b") as nothing:
        files = (nothing.fileno(), terminal, nothing.fileno())
        assert forked(str(where), arguments, {**variables, "TERM": "xterm", **env}, files) == 0
    os.close(terminal)
    text = os.read(main, 65536).decode()
    os.close(main)
    return text


def test_a_terminal_is_coloured_unless_no_color_is_set(store: Path) -> None:
    assert "\x1b[" in on_a_terminal(store, {}, "log", "support/a")
    assert "\x1b[" not in on_a_terminal(store, {"NO_COLOR": "1"}, "log", "support/a")
    assert "\x1b[" not in on_a_terminal(store, {"TERM": "dumb"}, "log", "support/a")
    assert "\x1b[" in on_a_terminal(store, {"NO_COLOR": "1"}, "--color", "always", "log", "support/a")


def test_quiet_prints_the_answer_alone(store: Path) -> None:
    assert good(store, "-q", "get", "b").out == good(store, "get", "b").out
    assert good(store, "-q", "check").out == ""
    assert "no problems" in good(store, "check").out
    assert good(store, "-q", "check").err == ""


def test_verbose_before_the_command_is_verbose_and_after_render_a_variable(store: Path) -> None:
    assert "one" not in good(store, "-v", "render", "support/a", "-v", "x=1").out
    assert "two 1" in good(store, "-v", "render", "support/a", "-v", "x=1").out
    assert "two a=b" in good(store, "render", "support/a", "-v", "x=a=b").out


def test_c_is_as_if_started_there(store: Path, tmp_path: Path) -> None:
    for place in (store, store / "prompts", store / "prompts/support"):
        assert good(tmp_path, "-C", str(place), "get", "b").out == "template_format: none\ncontent: text\n"
        assert len(good(tmp_path, "-C", str(place), "log", "support/a", "--json").document["versions"]) == 2
    assert good(store.parent, "-C", store.name, "check", "prompts/b.yaml", "--json").document == {"problems": []}
    variables = tmp_path / "vars.json"
    variables.write_text('{"x": "from a file"}')
    ran = good(tmp_path, "-C", str(store), "render", "support/a", "--vars", str(variables))
    assert "from a file" in ran.out


@pytest.mark.parametrize(
    "encoding", ["ascii", *(pytest.param(one, marks=pytest.mark.slow) for one in ("latin-1", "utf-8"))]
)
def test_text_comes_out_whole_in_any_locale(tmp_path: Path, encoding: str) -> None:
    make_store(tmp_path, "[store]\n", {"a": chat("größer – 生产 🚀")})
    env = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    for _ in range(2):
        assert "größer – 生产 🚀" in good(tmp_path, "get", "a", env=env, fresh=True).out
        assert "größer – 生产 🚀" in good(tmp_path, "render", "a", env=env, fresh=True).out
    document = good(tmp_path, "get", "a", "--json", env=env, fresh=True).document
    assert document["prompt"]["messages"][0]["content"] == "größer – 生产 🚀"


def test_a_file_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    make_store(tmp_path, "[store]\n", {"a": chat("one")})
    with open(os.path.join(os.fsencode(tmp_path), b"prompts", b"bad\xff.yaml"), "wb") as file:
        file.write(b"x")
    ran = good(tmp_path, "check", code=1)
    assert "bad" in ran.out
    assert len(good(tmp_path, "check", "--json", code=1).document["problems"]) == 1


def test_bytes_come_out_as_they_are_committed(tmp_path: Path) -> None:
    make_store(tmp_path, "[store]\n", {"a": chat("one")})
    text = b'template_format: none\r\ncontent: "x"\r\n# end without newline'
    (tmp_path / "prompts/b.yaml").write_bytes(text)
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "b")
    for address, fresh in (
        ("b", True),
        ("b", True),
        ("b", False),
        ("b@1", False),
        ("b@working", False),
        ("b@HEAD", False),
    ):
        assert good(tmp_path, "get", address, fresh=fresh).out.encode() == text


@pytest.mark.slow
def test_inside_a_hook(tmp_path: Path) -> None:
    make_store(tmp_path, "[store]\n", {"a": chat("one")})
    hook = tmp_path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\nset -e\n{sys.executable} -m promptstore check >hook.out 2>&1\n"
        f"{sys.executable} -m promptstore get a@1 >>hook.out 2>&1\n"
        f"{sys.executable} -m promptstore tag a in-hook >>hook.out 2>&1\n"
    )
    hook.chmod(0o755)
    (tmp_path / "prompts/a.yaml").write_text(chat("two"))
    git(tmp_path, "commit", "-qam", "two")
    said = (tmp_path / "hook.out").read_text()
    assert "no problems" in said
    assert chat("one") in said
    assert "in-hook is version 1" in said
