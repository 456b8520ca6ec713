"""HTTP for vendors: what is retried, what is told, and what is never told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import httpx
import pytest

from promptstore.errors import AuthError, BadResponse, ConfigError, RemoteRejected, RemoteUnreachable, WriteInDoubt
from promptstore.vendors.answers import Redaction, parsed, said
from promptstore.vendors.base import Connection
from promptstore.vendors.http import MAX_BODY, Http, Timing

KEY = "pl_secret_key_0123456789"


class Line:
    """A server that answers from a list, and a clock that only counts."""

    def __init__(self, *answers: httpx.Response | Exception, base_url: str = "https://vendor.example") -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []
        timing = Timing(sleep=self.slept.append, random=lambda: 0.5, monotonic=lambda: 0.0, now=lambda: 1_000_000.0)
        transport = httpx.MockTransport(self._answer)
        headers = {"Authorization": f"Bearer {KEY}"}
        self.http = Http("Vendor", base_url, headers=headers, secret=KEY, transport=transport, timing=timing)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


OK = httpx.Response(200, json={"ok": True})


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout(""),
        httpx.ReadTimeout(""),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("half an answer"),
        httpx.Response(429),
        httpx.Response(500),
        httpx.Response(503, text="<html>"),
    ],
)
def test_a_read_is_tried_four_times(failure: httpx.Response | Exception) -> None:
    line = Line(failure, failure, failure, OK)
    assert line.http.get("/x") == {"ok": True}
    assert line.slept == [0.5, 1.0, 2.0]
    line = Line(*[failure] * 4)
    with pytest.raises(RemoteUnreachable) as caught:
        line.http.get("/x")
    assert len(line.requests) == 4
    assert "GET /x" in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refused_read_is_not_repeated(status: int) -> None:
    line = Line(httpx.Response(status, json={"error": "no"}))
    with pytest.raises((AuthError, RemoteRejected), match="no"):
        line.http.get("/x")


@pytest.mark.parametrize(
    ("asked", "slept"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.05),
        ({"retry-after": "soon"}, 0.5),
        ({"retry-after": "Mon, 12 Jan 1970 13:46:50 GMT"}, 10.0),
        (
            {"retry-after": "Thu, 01 Jan 2026 00:00:20 GMT", "date": "Thu, 01 Jan 2026 00:00:00 GMT"},
            20.0,
        ),
    ],
)
def test_retry_after_is_honoured(asked: dict[str, str], slept: float) -> None:
    line = Line(httpx.Response(429, headers=asked), OK)
    line.http.get("/x")
    assert line.slept == [pytest.approx(slept)]


def test_a_long_retry_after_is_told_instead_of_waited_for() -> None:
    line = Line(httpx.Response(429, headers={"retry-after": "3600"}))
    with pytest.raises(RemoteUnreachable) as caught:
        line.http.get("/x")
    assert "3600" in caught.value.hint
    assert not line.slept


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "failure", [httpx.Response(500), httpx.Response(429), httpx.ReadTimeout(""), httpx.ConnectError("")]
)
def test_a_write_is_sent_once(method: str, failure: httpx.Response | Exception) -> None:
    line = Line(failure)
    with pytest.raises((WriteInDoubt, RemoteUnreachable)):
        line.http.send(method, "/x", {"a": 1})
    assert len(line.requests) == 1
    assert not line.slept


def forty_megabytes() -> Iterator[bytes]:
    for _ in range(40):
        yield b" " * (1024 * 1024)


def test_a_body_without_measure_is_cut_off() -> None:
    line = Line(httpx.Response(200, content=forty_megabytes()), httpx.Response(200, content=forty_megabytes()))
    with pytest.raises(BadResponse, match=f"more than {MAX_BODY // 1024**2} MiB"):
        line.http.get("/x")
    with pytest.raises(WriteInDoubt, match="more than"):
        line.http.send("POST", "/x")
    endless = Line(httpx.Response(400, content=forty_megabytes()))
    with pytest.raises(RemoteRejected):
        endless.http.send("POST", "/x")


def test_a_dripping_body_is_given_up() -> None:
    moments = iter(range(0, 10_000, 50))
    timing = Timing(sleep=lambda _: None, random=lambda: 0.5, monotonic=lambda: float(next(moments)))
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=iter([b" "] * 100)))
    http = Http("Vendor", "https://v.example", headers={}, secret=None, transport=transport, timing=timing)
    with pytest.raises(RemoteUnreachable, match="more than 120 s"):
        http.get("/x")
    with pytest.raises(WriteInDoubt, match="more than 120 s"):
        http.send("POST", "/x")


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b'{"a": 1', b"NaN", b'{"a": Infinity}', b"1e999", b"\xff\xfe", b"[" * 100_000, b"{} {}"],
)
def test_only_strict_json_is_json(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json says it in many ways
        parsed(body)
    with pytest.raises(BadResponse):
        Line(httpx.Response(200, content=body)).http.get("/x")


def test_a_broken_encoding_is_a_bad_response() -> None:
    broken = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip"))
    with pytest.raises(BadResponse, match="decoded"):
        Line(broken).http.get("/x")


def test_a_page_for_people_is_told_by_its_first_words() -> None:
    html = httpx.Response(200, text="<html>\n <h1>Please sign in</h1>", headers={"content-type": "text/html"})
    with pytest.raises(BadResponse, match="Please sign in") as caught:
        Line(html).http.get("/x")
    assert "text/html" in str(caught.value)
    assert caught.value.hint


def test_redirects_are_not_followed() -> None:
    line = Line(httpx.Response(301, headers={"location": "https://evil.example/x"}))
    with pytest.raises(BadResponse, match="redirect"):
        line.http.get("/x")
    assert len(line.requests) == 1


@pytest.mark.parametrize(
    "base_url", ["https://vendor.example/a/b", "https://vendor.example/a/b/", "https://vendor.example/a/b//"]
)
def test_a_path_prefix_is_kept(base_url: str) -> None:
    line = Line(OK, base_url=base_url)
    line.http.get("/x/1", {"q": "a b"})
    assert str(line.requests[0].url) == "https://vendor.example/a/b/x/1?q=a+b"


@pytest.mark.parametrize(
    "base_url", ["", "vendor.example", "ftp://vendor.example", "https://", "https://u:p@v.example"]
)
def test_a_base_url_is_checked(base_url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Line(base_url=base_url)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"success": false, "message": "Nope"}', "Nope"),
        (b'{"error": {"message": "Nope"}}', "Nope"),
        (b'{"message": [{"loc": ["a", 0], "msg": "Nope"}, {"msg": "Twice"}]}', "a.0: Nope; Twice"),
        (b'{"detail": "Nope"}', "Nope"),
        (b'"Nope"', "Nope"),
        (b'{"message": null, "detail": []}', '{"message": null, "detail": []}'),
        (b"<h1>Nope</h1>", "<h1>Nope</h1>"),
        (b"", "an empty body"),
    ],
)
def test_what_an_error_says_is_found(body: bytes, told: str) -> None:
    assert said(body) == told


def test_texts_are_made_safe() -> None:
    redact = Redaction(KEY)
    assert redact(f"key {KEY}, jo.doe@mail.example.com\x1b[31m\nnext") == "key ***, <e-mail> [31m next"
    assert len(redact("x" * 1000)) == 300
    assert Redaction("abc")("abc alphabcet") == "*** alphabcet"


def echo(request: httpx.Request) -> httpx.Response:
    return httpx.Response(422, text=" ".join([request.headers["authorization"], "x" * 60, KEY, "jo@example.com"]))


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError(f"proxy refused {request.headers['authorization']}", request=request)


def login_page(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text="x" * 70 + KEY)


@pytest.mark.parametrize("answer", [echo, refuse, login_page])
def test_the_key_is_never_told(
    answer: Callable[[httpx.Request], httpx.Response], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    timing = Timing(sleep=lambda _: None)
    headers = {"Authorization": f"Bearer {KEY}"}
    transport = httpx.MockTransport(answer)
    http = Http("Vendor", "https://v.example", headers=headers, secret=KEY, transport=transport, timing=timing)
    told = [repr(http), repr(Connection("https://v.example", KEY))]
    for call in (lambda: http.get("/x"), lambda: http.send("POST", "/x", {})):
        with pytest.raises((RemoteRejected, RemoteUnreachable, BadResponse, WriteInDoubt)) as caught:
            call()
        told += [str(caught.value), repr(caught.value), caught.value.hint]
    told.append(caplog.text)
    assert not [text for text in told if KEY[:8] in text or "jo@" in text]
    http.close()


@pytest.mark.parametrize("value", ["", "a\nb", "ключ", " a", "a\x00"])
def test_a_key_that_no_header_holds_is_refused_without_being_told(value: str) -> None:
    with pytest.raises(AuthError) as caught:
        Http("Vendor", "https://v.example", headers={"X-API-KEY": value}, secret=value)
    assert not value.strip() or value not in str(caught.value)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    timing = Timing(sleep=lambda _: None)
    http = Http("Vendor", "http://127.0.0.1:1", headers={}, secret=None, timing=timing)
    with pytest.raises(RemoteUnreachable, match=r"127\.0\.0\.1:1"):
        http.get("/x")
    with pytest.raises(RemoteUnreachable):
        http.send("POST", "/x", {})
    http.close()
