"""What the server refuses before it looks at a prompt."""

from __future__ import annotations

import logging

import httpx
import pytest
from twins import GREETING, KEY, client, publication

from promptstore.errors import GitError
from promptstore.serve import guards
from promptstore.serve.guards import Access
from promptstore.serve.twin import StoreTwin
from promptstore.store.store import Store
from promptstore.vendors.serving import Refused


@pytest.mark.parametrize("headers", [{"X-API-KEY": "wrong"}, {"X-API-KEY": ""}, {"X-API-KEY": "é".encode()}])
def test_a_wrong_key_gets_the_vendors_401(untouched: httpx.Client, headers: dict[str, str]) -> None:
    answer = untouched.get("/prompt-templates", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"success": False, "message": "Invalid API key."}
    assert answer.headers["content-type"] == "application/json"


def test_the_key_may_stand_in_the_body_where_no_header_is(store: Store) -> None:
    bare = client(store)
    del bare.headers["X-API-KEY"]
    assert bare.post("/track-request", json={"api_key": KEY}).json()["success"] is True
    assert bare.post("/track-request", json={"api_key": "wrong"}).status_code == 401
    assert bare.post("/track-request", content=b"[").status_code == 401
    assert bare.post("/track-request", json={"api_key": KEY}, headers={"X-API-KEY": "wrong"}).status_code == 401


def test_without_a_key_everybody_may_come(store: Store) -> None:
    assert client(store, key=None).get("/prompt-templates").status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "10.0.0.1", "["]
)
def test_a_foreign_host_header_is_refused(untouched: httpx.Client, host: str) -> None:
    answer = untouched.get("/prompt-templates", headers={"Host": host})
    assert answer.status_code == 421
    assert "items" not in answer.json()


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:80"])
def test_loopback_names_are_ours(untouched: httpx.Client, host: str) -> None:
    assert untouched.get("/prompt-templates", headers={"Host": host}).status_code == 200


def test_the_host_given_is_ours_and_every_address_where_all_are_served() -> None:
    Access(None, host="prompts.lan").check_host("prompts.lan:8000", None)
    Access(None, host="0.0.0.0").check_host("192.168.1.7:8000", None)
    with pytest.raises(Refused):
        Access(None, host="0.0.0.0").check_host("evil.example", None)
    with pytest.raises(Refused):
        Access(None, host="prompts.lan").check_host("192.168.1.7", None)
    with pytest.raises(Refused):
        Access(None).check_host(None, None)


def test_a_page_of_another_site_cannot_send_forms_here(store: Store) -> None:
    bare = client(store, key=None)
    body = publication("x")
    for origin in ("https://evil.example", "null"):
        assert bare.post("/rest/prompt-templates", json=body, headers={"Origin": origin}).status_code == 403
    assert bare.get("/prompt-templates", headers={"Origin": "http://localhost:3000"}).status_code == 200


def test_read_only_refuses_writes_and_nothing_else(store: Store) -> None:
    reader = client(store, read_only=True)
    tip = store.tip
    writes = [
        ("POST", "/rest/prompt-templates"),
        ("PATCH", "/rest/prompt-templates/bee"),
        ("POST", "/prompts/1/label"),
        ("PATCH", "/prompt-labels/1"),
        ("DELETE", "/prompt-labels/1"),
        ("POST", "/api/public/v2/folders"),
        ("POST", "/api/public/v2/folders/entities"),
        ("DELETE", "/api/public/v2/folders/entities"),
    ]
    for method, path in writes:
        answer = reader.request(method, path, json=publication("x"))
        assert (answer.status_code, answer.json()["success"]) == (403, False), path
    assert store.tip == tip
    assert reader.post(f"/prompt-templates/{GREETING}").status_code == 200
    assert reader.post("/track-request", json={}).status_code == 200


def test_a_body_that_is_too_large_is_not_read_to_its_end(
    untouched: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "MAX_BODY", 1000)
    announced = untouched.post("/rest/prompt-templates", content=b" " * 1001)
    chunked = untouched.post("/rest/prompt-templates", content=(b" " * 100 for _ in range(20)))
    assert [announced.status_code, chunked.status_code] == [413, 413]
    assert announced.json()["success"] is False


@pytest.mark.parametrize("body", [b"{", b'{"a": NaN}', b"\xff", b"[" * 100_000, b"[]", b'"x"', b"1"])
def test_a_body_that_makes_no_sense_is_told_in_json(untouched: httpx.Client, body: bytes) -> None:
    for path in ("/rest/prompt-templates", "/prompt-templates/bee"):
        answer = untouched.post(path, content=body)
        assert 400 <= answer.status_code < 500
        assert answer.json()


def test_what_is_not_there_is_told_in_json(untouched: httpx.Client) -> None:
    for path in ("/nowhere", "/promptlayer/nowhere", "/promptlayer"):
        assert untouched.get(path).status_code == 404
        assert untouched.get(path).json()["success"] is False
    assert untouched.delete("/prompt-templates").status_code == 405
    assert untouched.delete("/prompt-templates").json()["success"] is False


@pytest.mark.parametrize("error", [RuntimeError("/home/ann/secret"), GitError("fatal: /home/ann/secret")])
def test_an_error_of_ours_shows_nothing_of_us(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail(_: StoreTwin) -> None:
        raise error

    monkeypatch.setattr(StoreTwin, "view", fail)
    with caplog.at_level(logging.ERROR):
        answer = client(store).get("/prompt-templates")
    assert answer.status_code == 500
    assert answer.json()["success"] is False
    assert "ann" not in answer.text
    assert "Traceback" not in answer.text
    assert "secret" in caplog.text


def test_answers_look_like_the_recorded_ones(untouched: httpx.Client) -> None:
    answer = untouched.get("/prompt-templates")
    assert answer.text.endswith("}\n")
    assert ": " not in answer.text.split('"prompt_template"')[0]
    assert answer.headers["connection"] == "close"


def test_each_vendor_is_at_its_own_prefix_too(untouched: httpx.Client) -> None:
    assert untouched.get("/promptlayer/prompt-templates").json() == untouched.get("/prompt-templates").json()
    assert untouched.get("http://localhost//prompt-templates").json() == untouched.get("/prompt-templates").json()
