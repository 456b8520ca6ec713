"""Remotes on the command line: the config keeps its comments, and keys go only where this machine trusts."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import good, run, told
from repos import chat, make_store

from promptstore.store.config import parse_config

KEY = "pl_super-secret-0123456789"
CONFIG = """\
# our store
[store]
prompts = "prompts"   # the folder

# the first one
[remotes.acme]
vendor = "promptlayer"   # why not
base_url = "https://example.invalid"

[sync]
settle = "90s"  # patience
# the end
"""


class Recorder(http.server.BaseHTTPRequestHandler):
    """Answers every request with one status and remembers it."""

    seen: list[tuple[str, dict[str, str]]]
    status = 401

    def do_GET(self) -> None:
        self.seen.append((self.path, dict(self.headers)))
        body = json.dumps({"message": "Invalid API key", "success": False}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[tuple[int, list[tuple[str, dict[str, str]]]]]:
    seen: list[tuple[str, dict[str, str]]] = []
    handler = type("Handler", (Recorder,), {"seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield found.server_address[1], seen
        found.shutdown()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    where = tmp_path / "store"
    make_store(where, CONFIG, {"a": chat("one")})
    return where


def config_text(where: Path) -> str:
    return (where / ".promptstore.toml").read_text()


# --- the config


def test_add_and_remove_keep_every_comment(store: Path) -> None:
    added = good(store, "remote", "add", "promptlayer", "--include", "support/**", "--tag", "production", "--json")
    assert {row["name"] for row in added.document["remotes"]} >= {"promptlayer"}
    text = config_text(store)
    for line in CONFIG.splitlines():
        assert line in text
    remote = parse_config(text).remotes["promptlayer"]
    assert (remote.vendor, remote.include, remote.tags) == ("promptlayer", ("support/**",), ("production",))
    good(store, "remote", "remove", "promptlayer")
    assert [line for line in config_text(store).splitlines() if line] == [line for line in CONFIG.splitlines() if line]
    good(store, "remote", "remove", "acme")
    text = config_text(store)
    assert parse_config(text).remotes == {}
    for comment in ("# our store", "# the folder", "# patience", "# the end"):
        assert comment in text


@pytest.mark.parametrize(
    "config",
    [
        "",
        "[store]\n",
        "[store]",
        "[sync]\nsettle='1s'\n[remotes.one]\nvendor='promptlayer'\n[git]\npush=false\n[remotes.two]\nvendor='promptlayer'",
        "remotes.one.vendor = 'promptlayer'\n",
        "[remotes]\none = {vendor = 'promptlayer'}\n",
        "[store]\r\nprompts = 'prompts'\r\n",
    ],
)
def test_add_and_remove_in_any_layout_of_the_config(tmp_path: Path, config: str) -> None:
    make_store(tmp_path, config)
    before = parse_config(config).remotes
    good(tmp_path, "remote", "add", "three", "--vendor", "promptlayer", "--base-url", "http://127.0.0.1:9/x")
    assert parse_config(config_text(tmp_path)).remotes.keys() == {*before, "three"}
    for name in [*before, "three"]:
        good(tmp_path, "remote", "remove", name)
    assert parse_config(config_text(tmp_path)).remotes == {}


def test_list_touches_no_network(store: Path) -> None:
    rows = good(store, "remote", "list", "--json").document["remotes"]
    assert [(row["name"], row["vendor"]) for row in rows] == [("acme", "promptlayer")]
    assert rows[0].keys() >= {"name", "vendor", "reachable", "capabilities"}
    assert "https://example.invalid" in good(store, "remote", "list").out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["add", "acme", "--vendor", "promptlayer"], 2),
        (["add", "origin", "--vendor", "promptlayer"], 2),
        (["add", "UPPER", "--vendor", "promptlayer"], 2),
        (["add", "x", "--vendor", "promptlaier"], 1),
        (["remove", "akme"], 1),
        (["check", "akme"], 1),
        (["trust", "akme"], 1),
        (["login", "akme"], 1),
    ],
)
def test_what_cannot_be(store: Path, arguments: list[str], code: int) -> None:
    before = config_text(store)
    ran = run(store, "remote", *arguments)
    assert ran.code == code, ran
    told(ran)
    assert config_text(store) == before


# --- keys


def at(where: Path, url: str, extra: str = "") -> None:
    (where / ".promptstore.toml").write_text(f"[remotes.acme]\nvendor = 'promptlayer'\nbase_url = '{url}'\n{extra}")


def every_output(where: Path, env: dict[str, str | None]) -> str:
    """What commands that use the key say, in each way of saying it."""
    said = ""
    for command in (["remote", "check"], ["-v", "sync"], ["--json", "plan"], ["doctor"]):
        ran = run(where, *command, env=env)
        said += ran.out + ran.err
    return said


def test_a_wrong_key_exits_1_and_is_never_printed(
    store: Path, server: tuple[int, list[tuple[str, dict[str, str]]]]
) -> None:
    port, seen = server
    at(store, f"http://127.0.0.1:{port}/prefix")
    ran = good(store, "remote", "check", env={"PROMPTLAYER_API_KEY": KEY}, code=1)
    assert "PROMPTLAYER_API_KEY" in ran.err or "key" in ran.err
    assert seen
    assert all(path.startswith("/prefix/") for path, _ in seen)
    assert KEY in str(seen), "the key does go to loopback"
    document = good(store, "--json", "sync", env={"PROMPTLAYER_API_KEY": KEY}, code=1).document
    assert document["errors"][0].keys() >= {"remote", "slug", "message", "retry"}
    assert KEY not in every_output(store, {"PROMPTLAYER_API_KEY": KEY})


@pytest.mark.parametrize("key", [KEY + "\nX-Evil: 1", KEY + "é", KEY + "\r", " " + KEY + " "])
def test_an_odd_key_is_never_printed(
    store: Path, server: tuple[int, list[tuple[str, dict[str, str]]]], key: str
) -> None:
    at(store, f"http://127.0.0.1:{server[0]}")
    said = every_output(store, {"PROMPTLAYER_API_KEY": key})
    assert KEY not in said
    assert "Traceback" not in said


def test_without_a_key(store: Path) -> None:
    ran = good(store, "remote", "check", "--json", env={"PROMPTLAYER_API_KEY": None}, code=1)
    row = ran.document["remotes"][0]
    assert row["reachable"] is False
    assert row["error"]["kind"] == "auth"
    assert "PROMPTLAYER_API_KEY" in row["error"]["hint"]


def test_a_vendor_that_needs_no_key_is_tried_without_one(
    store: Path, server: tuple[int, list[tuple[str, dict[str, str]]]]
) -> None:
    none: dict[str, str | None] = {"PHOENIX_API_KEY": None}
    added = good(store, "remote", "add", "phoenix", "--base-url", f"http://127.0.0.1:{server[0]}/own", env=none)
    assert "PHOENIX_API_KEY" not in added.out
    assert "Next: promptstore remote check phoenix" in added.out
    run(store, "remote", "check", "phoenix", env=none)
    path, headers = next(seen for seen in server[1] if seen[0].startswith("/own/v1/prompts"))
    assert "authorization" not in {name.lower() for name in headers}, path


def test_a_remote_whose_name_is_no_vendors_asks_for_one(tmp_path: Path) -> None:
    make_store(tmp_path)
    told(run(tmp_path, "remote", "add", "team"), "'team'", "--vendor, one of: basalt, braintrust, phoenix, promptlayer")
    told(run(tmp_path, "remote", "add", "promptlyer"), "'promptlyer'", "did you mean 'promptlayer'?")


SLOW = [pytest.param(words, marks=pytest.mark.slow) for words in (["fetch"], ["plan"], ["status", "--fetch"])]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("command", [["sync"], ["remote", "check"], *SLOW], ids=" ".join)
def test_an_unreachable_remote_exits_75(store: Path, command: list[str]) -> None:
    at(store, "http://127.0.0.1:1")
    env: dict[str, str | None] = {"PROMPTLAYER_API_KEY": KEY}
    ran = run(store, *command, "--json", env=env)
    assert ran.code == 75, ran
    assert isinstance(ran.document, dict)
    assert KEY not in ran.out + ran.err
    good(store, "status", "--json", env=env)
    good(store, "list", "--json", env=env)


@pytest.mark.parametrize("extra", ["", "api_key_env = 'PROMPTLAYER_API_KEY'\n"])
def test_a_changed_address_gets_nothing(
    store: Path, server: tuple[int, list[tuple[str, dict[str, str]]]], extra: str
) -> None:
    """A name that leads to the recorder but is not loopback by its name: the key must stay here."""
    port, seen = server
    at(store, f"http://localtest.example:{port}", extra)
    env = {
        "PROMPTLAYER_API_KEY": KEY,
        "HTTP_PROXY": f"http://127.0.0.1:{port}",
        "http_proxy": f"http://127.0.0.1:{port}",
    }
    for command in (["remote", "check"], ["fetch"], ["sync"]):
        ran = run(store, *command, env=dict(env))
        assert ran.code == 1, ran
        assert "remote trust acme" in ran.err + ran.out
        assert KEY not in ran.err + ran.out
    document = good(store, "remote", "check", "--json", env=dict(env), code=1).document
    assert document["remotes"][0]["error"]["kind"] == "auth"
    assert seen == []


def test_an_other_variable_is_not_sent_to_the_vendors_lookalike(
    store: Path, server: tuple[int, list[tuple[str, dict[str, str]]]]
) -> None:
    at(store, "https://api.promptlayer.com.evil.example", "api_key_env = 'AWS_SECRET_ACCESS_KEY'\n")
    ran = run(store, "remote", "check", env={"AWS_SECRET_ACCESS_KEY": KEY})
    assert ran.code == 1
    assert "AWS_SECRET_ACCESS_KEY" in ran.err
    assert KEY not in ran.err


def test_trust_is_kept_on_this_machine_for_this_host_and_variable(
    store: Path, server: tuple[int, list[tuple[str, dict[str, str]]]], tmp_path: Path
) -> None:
    port, seen = server
    at(store, f"http://localtest.example:{port}")
    proxy = f"http://127.0.0.1:{port}"
    env: dict[str, str | None] = {"PROMPTLAYER_API_KEY": KEY, "HTTP_PROXY": proxy, "http_proxy": proxy}
    trusted = good(store, "remote", "trust", "acme", "--json", env=env).document
    assert trusted.items() >= {"host": f"localtest.example:{port}", "variable": "PROMPTLAYER_API_KEY"}.items()
    good(store, "remote", "check", env=env, code=1)
    assert KEY in str(seen)
    seen.clear()
    at(store, f"http://localtest.example:{port}", "api_key_env = 'OTHER'\n")
    good(store, "remote", "check", env={**env, "OTHER": KEY}, code=1)
    at(store, f"http://other.example:{port}")
    good(store, "remote", "check", env=env, code=1)
    assert seen == []
    assert "localtest" not in "".join(path.name for path in store.rglob("*") if ".git" not in str(path))


def test_trust_from_the_environment(store: Path, server: tuple[int, list[tuple[str, dict[str, str]]]]) -> None:
    port, seen = server
    at(store, f"http://localtest.example:{port}")
    proxy = f"http://127.0.0.1:{port}"
    env: dict[str, str | None] = {"PROMPTLAYER_API_KEY": KEY, "HTTP_PROXY": proxy, "http_proxy": proxy}
    pair = f"localtest.example:{port}=PROMPTLAYER_API_KEY"
    good(store, "remote", "check", env={**env, "PROMPTSTORE_TRUST": f"x=Y, {pair}"}, code=1)
    assert KEY in str(seen)
    seen.clear()
    good(store, "remote", "check", env={**env, "PROMPTSTORE_TRUST": f"localtest.example:{port}=OTHER"}, code=1)
    assert seen == []


def test_login_needs_a_keyring_that_keeps(store: Path) -> None:
    ran = run(store, "remote", "login", "acme", stdin=KEY + "\n")
    assert ran.code == 1
    told(ran, "keyring", "environment")
    assert KEY not in ran.out + ran.err
    ran = run(store, "remote", "login", "acme", stdin="\n")
    assert ran.code == 1
    told(ran, "no key")
