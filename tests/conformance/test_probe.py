"""A probe of the local twin finds it as assumed, and one of a server that differs says where."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from grounds import ground_at
from twins import copy_store

from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store
from promptstore.vendors.base import Vendor
from promptstore.vendors.conformance import CASES, Ground
from promptstore.vendors.conformance.probe import Report, probe, tried_on
from promptstore.vendors.conformance.questions import questions_about

OTHERWISE_AT_THE_TWIN = {("braintrust", "missing-project")}
"""The twin takes every project's name for its own store."""

Answers = Callable[[httpx.Request, httpx.BaseTransport], httpx.Response]


class Odd(httpx.BaseTransport):
    """The twin, but for what ``answers`` makes of it."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._answers(request, self._inner)

    def close(self) -> None:
        self._inner.close()


@pytest.fixture(scope="module")
def store(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with copy_store(template, tmp_path_factory.mktemp("probed") / "store") as opened:
        yield opened


@pytest.fixture(scope="module")
def running(store: Store) -> Iterator[Running]:
    with embedded(store) as found:
        yield found


def probed(ground: Ground, *only: str) -> Report:
    ground.elsewhere = None
    cases = [case for case in tried_on(ground.vendor, CASES) if not only or case.name in only]
    questions = [one for one in questions_about(ground.vendor) if not only or one.name in only]
    return probe(ground, cases, questions, lambda _: None)


@pytest.mark.slow
def test_the_twin_is_as_assumed(vendor: Vendor, store: Store, running: Running) -> None:
    ground = ground_at(vendor, running, store, httpx.HTTPTransport(), f"promptstore-probe-{vendor.name}")
    before = {head.id for head in ground.workspace.list()}
    report = probed(ground)
    odd = [case for case in report.cases if case.outcome in {"differs", "failed", "refused"}]
    assert not odd
    assert not [one for one in report.questions if one.differs and (vendor.name, one.name) not in OTHERWISE_AT_THE_TWIN]
    assert not [question for question in report.questions if question.detail.startswith("the answer has another form")]
    assert not report.left
    assert {head.id for head in ground.workspace.list()} == before
    json.dumps(report.as_json())


def test_without_an_api_to_write_nothing_is_written(vendor: Vendor, store: Store, running: Running) -> None:
    if vendor.capabilities.write:
        pytest.skip("it has one")
    ground = ground_at(vendor, running, store, httpx.HTTPTransport(), "promptstore-probe-none")
    report = probed(ground)
    assert report.as_assumed
    assert len(report.cases) > 5
    assert {exchange.method for exchange in ground.recorder.exchanges} == {"GET"}


def _answered(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    """The twin's answer, read to its end."""
    answer = inner.handle_request(request)
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.read())


def _remade(answer: httpx.Response, text: str) -> httpx.Response:
    return httpx.Response(answer.status_code, content=text.encode(), headers={"content-type": "application/json"})


def trims(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    """A server that takes blanks at the ends of lines away."""
    answer = _answered(request, inner)
    return _remade(answer, answer.text.replace("   \\n", "\\n").replace("  \\n", "\\n"))


def never_missing(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    """A server that hides what is not there behind words of its own."""
    answer = _answered(request, inner)
    return httpx.Response(409, json={"error": "no"}) if answer.status_code in {400, 404} else answer


def lets_in(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    answer = _answered(request, inner)
    return httpx.Response(200, json={"notes": []}) if answer.status_code == 401 else answer


def keeps(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    """A server that says it deleted, and did not."""
    return httpx.Response(204) if request.method == "DELETE" else inner.handle_request(request)


@pytest.mark.parametrize(
    ("answers", "name", "words"),
    [
        (trims, "text-spaces", "what is read back differs"),
        (never_missing, "no-such-prompt", "do not prove it"),
        (lets_in, "wrong-key", "was let in"),
        (keeps, "delete", "still in the listing"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_server_that_differs_is_found_out(
    installed_example: Vendor, store: Store, running: Running, answers: Answers, name: str, words: str
) -> None:
    prefix = f"promptstore-probe-{name}"
    report = probed(ground_at(installed_example, running, store, Odd(answers), prefix), name)
    assert [(case.name, case.outcome) for case in report.cases] == [(name, "differs")]
    assert words in report.cases[0].detail
    assert not report.as_assumed


def test_an_answer_other_than_assumed_is_told(installed_example: Vendor, store: Store, running: Running) -> None:
    report = probed(ground_at(installed_example, running, store, Odd(trims), "promptstore-probe-asks"), "blanks")
    assert [(one.found, one.assumed, one.differs) for one in report.questions] == [("trimmed", "kept", True)]
    assert not report.as_assumed


def test_what_cannot_be_deleted_is_told(installed_example: Vendor, store: Store, running: Running) -> None:
    ground = ground_at(installed_example, running, store, Odd(keeps), "promptstore-probe-left")
    report = probed(ground, "create")
    assert dict(report.left) == {"promptstore-probe-left-create": "it is still in the listing"}
    assert not report.as_assumed
