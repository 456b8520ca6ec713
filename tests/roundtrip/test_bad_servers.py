"""A vendor that answers badly: one clear error, nothing moved here, the key nowhere."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from repos import chat, commit, git, make_store

from promptstore.cli.run import run

pytestmark = pytest.mark.slow

KEY = "pl_secret_0123456789"

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """Answers every request with one function."""

    def __init__(self) -> None:
        self.answer: Answer = lambda handler: reply(handler, 200, b"{}")
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                outer.asked.append(f"{self.command} {self.path}")
                outer.answer(self)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the names http.server calls

            def log_message(self, *_: object) -> None:
                return

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json") -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    with contextlib.suppress(ConnectionError):  # a client that has read enough hangs up
        handler.wfile.write(body)


def html(handler: BaseHTTPRequestHandler) -> None:
    reply(handler, 200, b"<html><body>Please log in</body></html>", "text/html")


def truncated(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"items": [')
    handler.close_connection = True


def unauthorized(handler: BaseHTTPRequestHandler) -> None:
    reply(handler, 401, json.dumps({"success": False, "message": f"bad key {KEY}"}).encode())


def huge(handler: BaseHTTPRequestHandler) -> None:
    reply(handler, 200, b'{"items": ["' + b"x" * 40_000_000 + b'"]}')


def listing(*items: dict[str, object]) -> bytes:
    page = {"items": list(items), "has_next": False, "has_prev": False, "page": 1, "pages": 1, "total": len(items)}
    return json.dumps({**page, "per_page": 100, "next_num": None, "prev_num": None}).encode()


def hostile(handler: BaseHTTPRequestHandler) -> None:
    """A prompt whose name would be a path out of the store."""
    name = "../../.git/hooks/post-commit"
    template = {"type": "chat", "messages": [{"role": "system", "content": [{"type": "text", "text": "boo"}]}]}
    facts = {"id": 7, "prompt_name": name, "version": 1, "prompt_template": template, "tags": [], "metadata": None}
    if handler.path.startswith("/prompt-templates/7/labels"):
        reply(handler, 200, b'{"release_labels": []}')
    elif handler.path.startswith("/prompt-templates/7"):
        reply(handler, 200, json.dumps({**facts, "success": True, "workspace_id": 1, "snippets": []}).encode())
    else:
        reply(handler, 200, listing({**facts, "folder_id": None, "full_folder_path": None}))


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROMPTLAYER_API_KEY", KEY)
    folder = tmp_path / "store"
    config = f'[store]\nbranch = "main"\n\n[remotes.promptlayer]\nvendor = "promptlayer"\nbase_url = "{server.url}"\n'
    make_store(folder, config, {"mine": chat("mine")})
    return folder


def refs(folder: Path) -> str:
    return git(folder, "for-each-ref")


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (html, 1, "Please log in"),
        (unauthorized, 1, "401"),
        (huge, 1, "more than 32 MiB"),
    ],
)
def test_one_clear_error_and_nothing_moves(
    store: Path, server: Server, capfd: pytest.CaptureFixture[str], answer: Answer, code: int, words: str
) -> None:
    server.answer = answer
    before = refs(store)
    assert run(["-C", str(store), "sync"]) == code
    printed = capfd.readouterr()
    assert words in printed.err
    assert printed.err.count("error:") == 1
    assert printed.err.count("hint:") == 1
    assert refs(store) == before
    assert not any(asked.startswith("POST") for asked in server.asked)
    assert KEY not in printed.out + printed.err
    assert KEY not in "".join(f.read_text(errors="replace") for f in store.rglob("*") if f.is_file())


@pytest.mark.usefixtures("hasty")
def test_a_truncated_body_is_asked_again_and_then_told(
    store: Path, server: Server, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    server.answer = truncated
    before = refs(store)
    assert run(["-C", str(store), "sync"]) in {1, 75}
    assert capfd.readouterr().err.count("error:") == 1
    assert refs(store) == before


def test_a_hostile_name_never_becomes_a_path(store: Path, server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    server.answer = hostile
    assert run(["-C", str(store), "pull"]) == 0
    tree = git(store, "ls-tree", "-r", "--name-only", "main").splitlines()
    assert tree == [".promptstore.toml", "prompts/git/hooks/post-commit.yaml", "prompts/mine.yaml"]
    assert not (store / ".git/hooks/post-commit").exists()
    assert "name: ../../.git/hooks/post-commit" in (store / "prompts/git/hooks/post-commit.yaml").read_text()


def test_a_changed_base_url_gets_no_key(
    store: Path, server: Server, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = store / ".promptstore.toml"
    config.write_text(config.read_text().replace("127.0.0.1", "prompts.example.com"))
    assert run(["-C", str(store), "sync"]) == 1
    assert "does not trust" in capfd.readouterr().err
    assert server.asked == []
    monkeypatch.setenv("PROMPTSTORE_TRUST", "another.example.com=PROMPTLAYER_API_KEY")
    assert run(["-C", str(store), "sync"]) == 1


@pytest.mark.usefixtures("hasty")
def test_one_bad_remote_does_not_stop_another(
    store: Path, server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = Server()
    other.answer = lambda handler: reply(handler, 200, listing())
    try:
        server.answer = html
        with (store / ".promptstore.toml").open("a") as file:
            file.write(f'\n[remotes.second]\nvendor = "promptlayer"\nbase_url = "{other.url}"\n')
        commit(store, {"another": chat("x")})
        assert run(["-C", str(store), "plan", "--json"]) == 1
        document = json.loads(capfd.readouterr().out)
        assert {action["remote"] for action in document["actions"]} == {"second"}
        assert [error["remote"] for error in document["errors"]] == ["promptlayer"]
    finally:
        other.close()
