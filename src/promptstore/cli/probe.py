"""``promptstore remote check NAME --probe``: what the real vendor does, tried in prompts of the probe's own."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from promptstore.errors import ConfigError, StateUnwritable, UsageError, Where

if TYPE_CHECKING:
    import httpx

    from promptstore.cli.app import App
    from promptstore.store.config import RemoteConfig
    from promptstore.store.store import Store
    from promptstore.vendors.base import Vendor, Workspace
    from promptstore.vendors.conformance import Ground, Recorder
    from promptstore.vendors.conformance.probe import Report

PREFIX = "promptstore-probe-"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options say."""

    yes: bool = False
    tag: str | None = None
    cassette: str | None = None


def probe_remote(app: App, store: Store, config: RemoteConfig, wanted: Wanted) -> int:
    """Probe one remote, print what was found, and give the exit code: 3 where something is not as assumed."""
    from promptstore.vendors.registry import vendor

    found = vendor(config.vendor)
    prefix = PREFIX + secrets.token_hex(4)
    path = wanted.cassette and app.path(wanted.cassette)
    path = path or os.path.join(store.repository.state_dir, "probes", f"{config.name}-{prefix}.json")
    if found.capabilities.write and not wanted.yes:
        _ask(config, found, prefix)
    report = _probed(app, config, found, prefix, wanted.tag, path)
    if app.json:
        row = {"name": config.name, "vendor": found.name, "reachable": True}
        probe = {**report.as_json(), "as_assumed": report.as_assumed, "cassette": path}
        app.emit({"remotes": [{**row, "capabilities": found.capabilities.as_json(), "probe": probe}]})
    else:
        _print(app, config.name, report, path)
    return 0 if report.as_assumed else 3


def _ask(config: RemoteConfig, vendor: Vendor, prefix: str) -> None:
    """Ask a person; nobody there is a no."""
    import sys

    import click

    hint = "pass --yes if that is fine"
    if not sys.stdin.isatty():
        raise UsageError(f"a probe writes prompts of its own to {config.name} ({vendor.title})", hint=hint)
    after = (
        "deletes them again" if vendor.capabilities.delete else f"cannot delete them: {vendor.title} has no API for it"
    )
    question = f"The probe makes prompts named {prefix}-... at {vendor.title} and {after}. Go on?"
    if not click.confirm(question, err=True):
        raise UsageError("the probe was not wanted", hint=hint)


def _probed(app: App, config: RemoteConfig, vendor: Vendor, prefix: str, tag: str | None, path: str) -> Report:
    from promptstore.cli.engine import machine_keys
    from promptstore.sync.credentials import endpoint
    from promptstore.vendors.conformance import CASES, Recorder
    from promptstore.vendors.conformance.probe import probe, tried_on
    from promptstore.vendors.conformance.questions import questions_about

    key = machine_keys(app).key_for(config, vendor)
    recorder = Recorder(_network(endpoint(config, vendor).url))
    ground = _ground(config, vendor, recorder, prefix, key)
    ground.tag = tag or ground.tag
    _keep(path, recorder, key)  # a file that cannot be written is told before anything is sent
    try:
        return probe(ground, tried_on(vendor, CASES), questions_about(vendor), app.detail)
    finally:
        ground.workspace.close()
        recorder.end()
        _keep(path, recorder, key)


def _ground(config: RemoteConfig, vendor: Vendor, recorder: Recorder, prefix: str, key: str | None) -> Ground:
    from promptstore.sync.credentials import endpoint
    from promptstore.vendors.base import Connection
    from promptstore.vendors.conformance import Ground

    url = endpoint(config, vendor).url
    if vendor.needs_project and not config.project:
        hint = f"{vendor.title} keeps prompts in projects"
        raise ConfigError(f"[remotes.{config.name}] needs 'project', by name", hint=hint)

    def connect(other: str | None) -> Workspace:
        workspace: Workspace = vendor.connect(Connection(url, other, config.project, recorder))
        return workspace

    return Ground(vendor, connect, connect(key), recorder, url, prefix)


def _network(url: str) -> httpx.BaseTransport:
    """The network, through the proxy that the environment names: a client that is given a transport asks for none."""
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    import httpx

    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
    return httpx.HTTPTransport(proxy=proxy)


def _keep(path: str, recorder: Recorder, key: str | None) -> None:
    """Write the cassette, for its owner only: what a workspace holds is in it."""
    from promptstore.store.atomic import replace_file
    from promptstore.vendors.conformance.cassette import cassette

    text = json.dumps({"exchanges": cassette(recorder.exchanges, [key])}, ensure_ascii=False, indent=1) + "\n"
    try:
        replace_file(path, text.encode("utf-8", "backslashreplace"))
        os.chmod(path, 0o600)
    except OSError as problem:
        hint = "give another file with --cassette"
        raise StateUnwritable(
            f"the cassette cannot be written: {problem.strerror}", where=Where(path=path), hint=hint
        ) from None


_MARKS = {"as-assumed": ("ok", "green"), "differs": ("DIFFERS", "red"), "failed": ("FAILED", "red")}
_OTHER = {"refused": ("refused", "yellow"), "not-tried": ("not tried", "dim")}


def _print(app: App, name: str, report: Report, path: str) -> None:
    app.say(f"{app.styled(name, 'bold')}: {report.requests} requests, as {report.prefix}-...")
    for case in report.cases:
        word, style = {**_MARKS, **_OTHER}[case.outcome]
        app.say(f"  {app.styled(f'{word:9}', style)}  {case.name}: {case.detail or case.says}")
    app.say("open questions:")
    for question in report.questions:
        app.say(f"  {question.asks}\n    {_answer(app, question)}")
    for slug, reason in report.left.items():
        app.note(f"{app.styled('left behind', 'yellow')}: {slug}: {reason}")
    app.say(f"what the server answered: {path}")


def _answer(app: App, question: Any) -> str:
    if question.found is None:
        return app.styled(f"not settled: {question.detail}", "dim")
    if question.differs:
        return f"{question.found} {app.styled(f'(assumed: {question.assumed})', 'red')}"
    return f"{question.found}" + (" (as assumed)" if question.assumed else "")
