"""The server over real HTTP: our own PromptLayer client must find it to be PromptLayer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import httpx
import pytest
from twins import GREETING

from promptstore.errors import AuthError, ConfigError, RemoteMissing, RemoteRejected, UsageError
from promptstore.serve.server import embedded, serve
from promptstore.store.store import Store
from promptstore.vendors.base import Connection, Publication, Workspace
from promptstore.vendors.promptlayer import VENDOR


def opened(url: str, key: str) -> Workspace:
    workspace: Workspace = VENDOR.connect(Connection(url, key))
    return workspace


def document(text: str) -> dict[str, Any]:
    block = {"role": "user", "template_format": "jinja2", "content": [{"type": "text", "text": text}]}
    return {
        "prompt_name": "team/sub/new one",
        "tags": ["t"],
        "prompt_template": {"type": "chat", "messages": [block]},
        "metadata": {"model": {"provider": "openai", "name": "gpt-4o"}, "owner": {"deep": [1, 1.5, None]}},
    }


def test_our_client_finds_promptlayer_here(store: Store) -> None:
    with embedded(store) as running:
        workspace = opened(running.url, running.key)
        assert {(head.name, head.folder, head.version) for head in workspace.list()} == {
            ("The Bee", "", "1"),
            (GREETING, "support", "1"),
        }
        first = document("one {{ x }}")
        assert workspace.find("team/sub/new-one", first) is None
        made = workspace.publish(Publication(None, "team/sub/new-one", first, "Begin", "i-1"))
        read = workspace.read(made.id)
        assert (read.document, read.intent, read.message, read.version) == (first, "i-1", "Begin", "1")
        assert read.created is not None
        assert workspace.identity() == "1"
        head = workspace.find("team/sub/new-one", first)
        assert head is not None
        assert (head.id, head.folder, head.stamp) == (made.id, "team/sub", read.stamp)
        second = document("two\n")
        assert workspace.publish(Publication(made.id, "team/sub/new-one", second, "Go on", "i-2")).version == "2"
        assert workspace.publish(Publication(made.id, "team/sub/new-one", second, "Go on", "i-3")).version == "3"
        versions = workspace.versions(made.id, "3")
        assert [workspace.read(made.id, version).intent for version in versions] == ["i-1", "i-2", "i-3"]
        workspace.set_tag(made.id, "production", "2")
        workspace.set_tag(made.id, "production", "3")
        workspace.set_tag(made.id, "a/b", "1")
        assert workspace.tags(["production"], [made.id]).tags == {made.id: {"production": "3", "a/b": "1"}}
        workspace.delete_tag(made.id, "a/b")
        assert store.tags("team/sub/new-one") == {"production": 3}
        workspace.delete(made.id)
        with pytest.raises(RemoteMissing):
            workspace.read(made.id)
        assert made.id not in {head.id for head in workspace.list()}
        assert workspace.find("team/sub/new-one", second) is not None
        workspace.close()


def test_a_wrong_key_and_a_read_only_server_are_understood(store: Store) -> None:
    with embedded(store, key="pl_mine", read_only=True) as running:
        assert running.key == "pl_mine"
        with pytest.raises(AuthError):
            opened(running.url, "pl_other").list()
        with pytest.raises((AuthError, RemoteRejected)):
            opened(running.url, "pl_mine").publish(Publication(None, "x", document("x"), "", "i"))
        assert len(opened(f"{running.url}/promptlayer", "pl_mine").list()) == 2


def test_it_stops_at_once_even_with_a_connection_open(store: Store) -> None:
    with embedded(store) as running, httpx.Client(base_url=running.url) as client:
        client.get("/prompt-templates", headers={"X-API-KEY": running.key})
        client.get("/nowhere")  # an answer that keeps the connection
        start = time.monotonic()
        leaving = threading.Event()
        leaving.set()
    assert leaving.is_set()
    assert time.monotonic() - start < 2
    with pytest.raises(httpx.ConnectError):
        httpx.get(running.url)


def test_an_address_that_cannot_be_served_at_is_told(store: Store) -> None:
    with embedded(store) as running:
        port = int(running.url.rsplit(":", 1)[1])
        with pytest.raises(UsageError, match="cannot serve"), embedded(store, port=port):
            pass
    for host, port in (("no.such.host.invalid", 0), ("127.0.0.1", 99_999)):
        with pytest.raises(UsageError, match="cannot serve"), embedded(store, host=host, port=port):
            pass


@pytest.mark.parametrize("key", ["", " x", "a\nb", "é"])
def test_a_key_that_no_header_can_hold_is_refused(store: Store, key: str) -> None:
    with pytest.raises(UsageError):
        serve(store, host="127.0.0.1", port=0, key=key, auth=True, read_only=False, announce=lambda *_: None)


def test_without_the_extra_the_way_to_it_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ConfigError) as caught:
        serve(store, host="127.0.0.1", port=0, key=None, auth=True, read_only=False, announce=lambda *_: None)
    assert caught.value.hint == "pip install 'promptstore[serve]'"


SCRIPT = """
import sys
from promptstore.serve.server import serve
from promptstore.store.store import Store
serve(Store.open(sys.argv[1]), host="127.0.0.1", port=0, key=None, auth=sys.argv[2] == "auth", read_only=False,
      announce=lambda url, key: print(url, key, flush=True))
print("ended", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "auth"), [(signal.SIGTERM, "auth"), (signal.SIGINT, "open")])
def test_a_signal_ends_it_gracefully(store: Store, ending: signal.Signals, auth: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, store.root, auth], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None
    url, _, key = process.stdout.readline().strip().partition(" ")
    headers = {"X-API-KEY": key} if key else {}
    assert bool(key) is (auth == "auth")
    assert httpx.get(f"{url}/prompt-templates", headers=headers).status_code == 200
    process.send_signal(ending)
    assert process.communicate(timeout=5)[0] == "ended\n"
    assert process.returncode == 0
