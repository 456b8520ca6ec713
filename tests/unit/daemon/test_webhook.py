"""Webhooks: who may ring, and how little a stranger can do."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from promptstore.daemon.webhook import MAX_BODY, Bell, Listener
from promptstore.errors import ConfigError
from promptstore.vendors.promptlayer.webhook import signed

SECRET = "s3cret-and-long"
PAYLOAD: dict[str, Any] = {
    "event_type": "prompt_template_version_created",
    "details": {"prompt_template_name": "Grüße, „Welt“ \U0001f600", "ids": [1, 2.5, None], "n": 1e22},
    "workspace_id": 7,
    "timestamp": "2026-01-01T00:00:00Z",
}


def mac(text: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def forms() -> dict[str, bytes]:
    return {
        "documented": json.dumps(PAYLOAD, sort_keys=True).encode(),
        "unescaped": json.dumps(PAYLOAD, sort_keys=True, ensure_ascii=False).encode(),
        "compact": json.dumps(PAYLOAD, sort_keys=True, separators=(",", ":")).encode(),
        "raw": BODY,
    }


BODY = json.dumps(PAYLOAD, ensure_ascii=False, indent=1).encode()


# --- PromptLayer's signature


@pytest.mark.parametrize("form", forms())
def test_every_known_form_of_the_signature_counts(form: str) -> None:
    signature = mac(forms()[form])
    for spelled in (signature, signature.upper(), f"sha256={signature}", f" {signature} "):
        assert signed({"x-promptlayer-signature": spelled}, BODY, SECRET)


@pytest.mark.parametrize(
    "signature",
    ["", "0" * 64, mac(forms()["documented"], "another"), mac(forms()["documented"])[:-1], "é" * 64, "sha256="],
)
def test_anything_else_does_not(signature: str) -> None:
    assert not signed({"x-promptlayer-signature": signature}, BODY, SECRET)


def test_a_changed_body_does_not() -> None:
    header = {"x-promptlayer-signature": mac(forms()["documented"])}
    assert not signed(header, BODY.replace(b"7", b"8"), SECRET)
    assert not signed({}, BODY, SECRET)


@pytest.mark.parametrize("body", [b"", b"not json", b"[" * 100_000, b'"\\ud800"', b"\xff\xfe"])
def test_a_body_that_is_no_json_is_judged_as_it_is(body: bytes) -> None:
    assert signed({"x-promptlayer-signature": mac(body)}, body, SECRET)
    assert not signed({"x-promptlayer-signature": mac(b"other")}, body, SECRET)


# --- who rings for what

BELL = Bell(SECRET, {"promptlayer": signed, "staging": signed, "braintrust": None})
SIGNED = {"x-promptlayer-signature": mac(forms()["documented"])}


@pytest.mark.parametrize(
    ("target", "headers", "remotes"),
    [
        ("/", SIGNED, ("promptlayer", "staging")),
        ("/staging", SIGNED, ("staging",)),
        ("/hooks/staging/", SIGNED, ("staging",)),
        ("/braintrust", SIGNED, ()),
        ("/", {}, ()),
        (f"/{SECRET}", {}, ("promptlayer", "staging", "braintrust")),
        (f"/braintrust/{SECRET}", {}, ("braintrust",)),
        (f"/braintrust?secret={SECRET}", {}, ("braintrust",)),
        (f"/braintrust/{SECRET}x", {}, ()),
        (f"/braintrust?secret={SECRET[:-1]}", {}, ()),
        ("/braintrust?secret=", {}, ()),
        ("//[", {}, ()),
        ("/%ff%00", {}, ()),
    ],
)
def test_who_rings_for_what(target: str, headers: dict[str, str], remotes: tuple[str, ...]) -> None:
    assert BELL.rung_for(target, headers, BODY) == remotes


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(BELL)


# --- over HTTP


@pytest.fixture
def rung() -> list[tuple[str, ...]]:
    return []


@pytest.fixture
def listener(rung: list[tuple[str, ...]]) -> Iterator[Listener]:
    made = Listener("127.0.0.1:0", BELL, rung.append)
    yield made
    made.stop()


def connection(listener: Listener) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port(listener), timeout=10)


def port(listener: Listener) -> int:
    return int(listener.url.rstrip("/").rpartition(":")[2])


def ask(listener: Listener, method: str, target: str, body: bytes = BODY, headers: dict[str, str] | None = None) -> int:
    asked = connection(listener)
    asked.request(method, target, body, headers or {})
    answer = asked.getresponse()
    assert SECRET.encode() not in answer.read()
    asked.close()
    return answer.status


def test_a_good_hint_is_passed_on(listener: Listener, rung: list[tuple[str, ...]]) -> None:
    headers = {"X-PromptLayer-Signature": SIGNED["x-promptlayer-signature"]}
    assert ask(listener, "POST", "/promptlayer", headers=headers) == 202
    assert ask(listener, "POST", f"/braintrust/{SECRET}", b"") == 202
    assert rung == [("promptlayer",), ("braintrust",)]


def test_strangers_are_turned_away(listener: Listener, rung: list[tuple[str, ...]]) -> None:
    assert ask(listener, "POST", "/promptlayer") == 401
    assert ask(listener, "POST", "/promptlayer", headers={"X-PromptLayer-Signature": "0" * 64}) == 401
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert ask(listener, method, f"/{SECRET}") == 405
    assert rung == []


def test_a_body_beyond_measure_is_not_read(listener: Listener, rung: list[tuple[str, ...]]) -> None:
    asked = connection(listener)
    asked.putrequest("POST", f"/{SECRET}")
    asked.putheader("Content-Length", str(MAX_BODY + 1))
    asked.endheaders()
    assert asked.getresponse().status == 413
    asked = connection(listener)
    asked.putrequest("POST", f"/{SECRET}")
    asked.putheader("Transfer-Encoding", "chunked")
    asked.endheaders()
    assert asked.getresponse().status == 411
    assert rung == []


def test_many_slow_senders_do_not_keep_others_out_for_good(listener: Listener, rung: list[tuple[str, ...]]) -> None:
    slow = [socket.create_connection(("127.0.0.1", port(listener))) for _ in range(40)]
    for one in slow:
        one.close()
    for _ in range(50):
        try:
            if ask(listener, "POST", f"/{SECRET}", b"") == 202:
                break
        except OSError:
            continue
    assert rung == [("promptlayer", "staging", "braintrust")]


def test_other_remotes_after_a_change_of_the_config(listener: Listener, rung: list[tuple[str, ...]]) -> None:
    listener.ring_with(Bell(SECRET, {"cat": None}))
    assert ask(listener, "POST", f"/{SECRET}") == 202
    assert rung == [("cat",)]


@pytest.mark.parametrize("address", ["", "8080", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:99999", "256.0.0.1:0"])
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(ConfigError, match="webhook"):
        Listener(address, BELL, print)


def test_a_taken_port_is_said(listener: Listener) -> None:
    with pytest.raises(ConfigError, match="cannot listen"):
        Listener(f"127.0.0.1:{port(listener)}", BELL, print)
