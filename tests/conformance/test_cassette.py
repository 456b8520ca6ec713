"""A cassette holds what a server answered and no secret of anybody's."""

from __future__ import annotations

import json
from contextlib import suppress

import httpx

from promptstore.vendors.conformance.cassette import cassette
from promptstore.vendors.conformance.recorder import MAX_KEPT, Exchange, Recorder

KEY = "pl_key/with+odd=signs"
SENT = {"api_key": "another", "text": f"the key is {KEY}", "max_tokens": 10, "token_count": 3, "note": "a@b.example"}
ANSWER = {
    "owner": {"email": "ann.lee+x@mail.example.com", "sessionToken": "abc"},
    "items": ["Bearer abcdefgh1234", "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJl", "sk-0123456789abcdefABCDEF"],
    "text": "kept, ünchanged",
}


def exchanged(answer: httpx.Response | Exception) -> list[Exchange]:
    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    recorder = Recorder(httpx.MockTransport(handle))
    headers = {"Authorization": f"Bearer {KEY}", "X-API-KEY": KEY, "Cookie": "session=1"}
    with httpx.Client(transport=recorder, headers=headers) as client, suppress(httpx.ConnectError):
        client.post("https://api.example.com/x", params={"key": KEY, "q": "a@b.example"}, json=SENT)
    return recorder.exchanges


def test_keys_cookies_tokens_and_addresses_are_taken_out() -> None:
    headers = {"Set-Cookie": "sid=1", "X-Request-Owner": "ann", "X-RateLimit-Remaining": "9", "ETag": "W/1"}
    kept = cassette(exchanged(httpx.Response(200, json=ANSWER, headers=headers)), [KEY, None])
    text = json.dumps(kept, ensure_ascii=False)
    for secret in (KEY, "pl_key", "another", "@", "%40", "sid=1", "session=1", "abcdefgh1234", "eyJ", "sk-", "ann"):
        assert secret not in text, secret
    request, response = kept[0]["request"], kept[0]["response"]
    assert (request["method"], request["json"]["max_tokens"], request["json"]["token_count"]) == ("POST", 10, 3)
    assert response["headers"].keys() == {"x-ratelimit-remaining", "etag", "content-type", "content-length"}
    assert (response["status"], response["json"]["text"]) == (200, "kept, ünchanged")


def test_what_is_no_json_is_kept_as_text() -> None:
    kept = cassette(exchanged(httpx.Response(502, html=f"<p>{KEY}</p>")), [KEY])
    assert kept[0]["response"]["text"] == "<p>***</p>"


def test_a_failure_is_kept_by_its_kind() -> None:
    kept = cassette(exchanged(httpx.ConnectError(f"no route for {KEY}")), [KEY])
    assert kept[0]["error"] == "ConnectError"
    assert "response" not in kept[0]


def test_a_long_answer_goes_through_and_is_not_kept() -> None:
    exchange = exchanged(httpx.Response(200, content=b"x" * (MAX_KEPT + 1)))[0]
    assert not exchange.whole
    assert cassette([exchange], [])[0]["response"]["cut"] == f"more than {MAX_KEPT} bytes"
