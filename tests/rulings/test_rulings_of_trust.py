"""Rulings 3, 12 and 13: what comes with a pull request, from a vendor's page or from a broken server is not obeyed."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from repos import git

from promptstore.errors import AuthError, BadResponse
from promptstore.model.slug import slug_problem, slugify
from promptstore.store.config import RemoteConfig
from promptstore.sync.credentials import Keys, Trust
from promptstore.vendors.base import Connection
from promptstore.vendors.http import Timing
from promptstore.vendors.promptlayer import VENDOR, client

# --- 3: secrets go only where this machine trusts

STOLEN = RemoteConfig("acme", "promptlayer", base_url="https://attacker.example", api_key_env="AWS_SECRET_ACCESS_KEY")


def _keys(tmp_path: Path) -> Keys:
    environ = {"AWS_SECRET_ACCESS_KEY": "a secret", "PROMPTLAYER_API_KEY": "a key"}
    return Keys(environ, Trust(str(tmp_path / "trust"), environ), lambda _: None)


def test_ruling_03_plainer_a_pull_request_steals_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Keys, "_require_trust", lambda *_: None)
    assert _keys(tmp_path).key_for(STOLEN, VENDOR) == "a secret"


def test_ruling_03_a_changed_address_gets_no_key(tmp_path: Path) -> None:
    for config in (STOLEN, replace(STOLEN, api_key_env=None), replace(STOLEN, base_url="http://api.promptlayer.com")):
        with pytest.raises(AuthError, match="does not trust"):
            _keys(tmp_path).key_for(config, VENDOR)
    assert _keys(tmp_path).key_for(RemoteConfig("acme", "promptlayer"), VENDOR) == "a key"


# --- 12: one grammar for slugs

HOSTILE = ("../../.git/hooks/pre-commit", "a/../../b", "/etc/passwd", "x.lock", "CON", "a\x00b", ".git/config", "   ")


def test_ruling_12_plainer_a_vendors_name_becomes_a_path_or_breaks_git(tmp_path: Path) -> None:
    folder = tmp_path / "repo" / "prompts"
    assert not (folder / f"{HOSTILE[0]}.yaml").resolve().is_relative_to(folder)
    git(tmp_path, "init", "-q", "repo")
    refused = subprocess.run(
        ["git", "update-ref", "refs/prompts/x.lock/-/production", "HEAD"],
        cwd=tmp_path / "repo",
        capture_output=True,
        check=False,
    )
    assert refused.returncode != 0


@pytest.mark.parametrize("name", HOSTILE)
def test_ruling_12_a_vendors_name_is_made_a_slug(name: str, tmp_path: Path) -> None:
    slug = slugify(name)
    assert slug_problem(slug) is None
    assert (tmp_path / f"{slug}.yaml").resolve().is_relative_to(tmp_path.resolve())
    assert name == slug or slug_problem(name) is not None


def test_ruling_12_case_twins_are_never_two_slugs() -> None:
    assert slug_problem("support/Summarizer") is not None
    assert slug_problem("support/summarizer") is None


# --- 13: caps


class Endless:
    """A listing that always has another page with something new on it."""

    def __init__(self) -> None:
        self.pages = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.pages += 1
        item = {"id": self.pages, "prompt_name": f"p{self.pages}", "version": 1, "folder_id": None, "tags": []}
        page = {"items": [item], "has_next": True, "has_prev": False, "total": 10**9, "page": self.pages, "pages": 9}
        return httpx.Response(200, json=json.loads(json.dumps(page)), request=request)


def _listed(endless: Endless) -> None:
    timing = Timing(sleep=lambda _: None)
    transport = httpx.MockTransport(endless)
    workspace = VENDOR.connect(Connection("https://api.promptlayer.com", "key", transport=transport, timing=timing))
    workspace.list()


@pytest.mark.parametrize("cap", [30, 300])
def test_ruling_13_plainer_a_listing_without_an_end_is_read_for_ever(cap: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the cap ends it: with ten times the cap it reads ten times as much."""
    endless = Endless()
    monkeypatch.setattr(client, "MAX_PAGES", cap)
    with pytest.raises(BadResponse, match="more than"):
        _listed(endless)
    assert endless.pages >= cap


def test_ruling_13_a_listing_without_an_end_is_an_error() -> None:
    endless = Endless()
    with pytest.raises(BadResponse, match="more than"):
        _listed(endless)
    assert client.MAX_PAGES <= endless.pages <= client.MAX_PAGES + 10
