"""``promptstore remote check NAME --probe`` against the twin, and what it keeps of the answers."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from repos import git, make_store
from test_probe import Odd, trims
from twins import copy_store

from promptstore.cli.run import run
from promptstore.serve.server import Running, embedded
from promptstore.vendors import conformance

pytestmark = pytest.mark.slow

KEY = "acme-secret/0123456789"
CONFIG = """\
[store]
branch = "main"

[remotes.acme]
vendor = "acme"
base_url = "{url}/acme"

[remotes.basalt]
vendor = "basalt"
base_url = "{url}/basalt"
"""
FEW = ("connect", "wrong-key", "read", "text-spaces", "delete", "tag-set", "read-tags")


@pytest.fixture(scope="module")
def running(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with copy_store(template, tmp_path_factory.mktemp("cli") / "twin") as store, embedded(store, key=KEY) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path, running: Running, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACME_API_KEY", KEY)
    monkeypatch.setenv("BASALT_API_KEY", KEY)
    monkeypatch.setattr(conformance, "CASES", tuple(case for case in conformance.CASES if case.name in FEW))
    make_store(tmp_path / "store", CONFIG.format(url=running.url)).close()
    return tmp_path / "store"


def check(folder: Path, *arguments: str) -> int:
    return run(["-C", str(folder), "remote", "check", *arguments])


def titles(running: Running) -> list[str]:
    answer = httpx.get(f"{running.url}/acme/notes", headers={"Authorization": f"Bearer {KEY}"})
    return [note["title"] for note in answer.json()["notes"]]


def test_a_probe_says_what_it_found_and_cleans_up(
    folder: Path, running: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    before = titles(running)
    assert check(folder, "acme", "--probe", "--yes", "--json") == 0
    printed = capfd.readouterr()
    row = json.loads(printed.out)["remotes"][0]
    probe = row["probe"]
    assert (row["name"], row["vendor"], row["reachable"]) == ("acme", "acme", True)
    assert probe["prefix"].startswith("promptstore-probe-")
    assert {case["name"] for case in probe["cases"]} == {"connect", "wrong-key", "read", "text-spaces", "delete"}
    assert {case["outcome"] for case in probe["cases"]} == {"as-assumed"}
    assert {one["name"]: one["found"] for one in probe["questions"]} == {
        "rate-headers": "none",
        "same-text": "a new version",
        "deleted-name": "another prompt",
        "blanks": "kept",
    }
    assert (probe["as_assumed"], probe["left"]) == (True, [])
    assert titles(running) == before
    kept = Path(probe["cassette"])
    assert kept.parent == folder / ".git" / "promptstore" / "probes"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(json.loads(kept.read_text())["exchanges"]) == probe["requests"]
    assert KEY not in kept.read_text() + printed.out + printed.err
    assert "uthorization" not in kept.read_text()


def test_it_asks_a_person_first(
    folder: Path, running: Running, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = titles(running)
    assert check(folder, "acme", "--probe") == 2
    assert "pass --yes" in capfd.readouterr().err

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert check(folder, "acme", "--probe") == 2
    assert "deletes them again" in capfd.readouterr().err
    assert titles(running) == before
    assert not (folder / ".git" / "promptstore" / "probes").exists()
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert check(folder, "acme", "--probe", "--cassette", "answers.json") == 0
    assert "open questions:" in capfd.readouterr().out
    assert json.loads((folder / "answers.json").read_text())["exchanges"]


def test_a_difference_is_told_with_exit_code_3(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promptstore.cli.probe._network", lambda _: Odd(trims))
    assert check(folder, "acme", "--probe", "--yes") == 3
    out = capfd.readouterr().out
    assert "DIFFERS    text-spaces: what is read back differs from what was published, in: text" in out
    assert "trimmed (assumed: kept)" in out


def test_a_vendor_without_an_api_to_write_is_only_read(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert check(folder, "basalt", "--probe", "--json") == 0
    probe = json.loads(capfd.readouterr().out)["remotes"][0]["probe"]
    exchanges = json.loads(Path(probe["cassette"]).read_text())["exchanges"]
    assert {exchange["request"]["method"] for exchange in exchanges} == {"GET"}
    assert {one["name"]: one["found"] for one in probe["questions"]}["missing-version"] == "refused with 404"


@pytest.mark.parametrize(
    "arguments", [["acme", "--yes"], ["--probe"], ["acme", "basalt", "--probe", "--yes"], ["acme", "--cassette", "x"]]
)
def test_usage(folder: Path, arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert check(folder, *arguments) == 2
    assert "hint:" in capfd.readouterr().err


@pytest.mark.usefixtures("hasty")
def test_a_wrong_key_and_a_silent_server(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "wrong")
    assert check(folder, "acme", "--probe", "--yes") == 1
    assert "remote acme" in capfd.readouterr().err
    monkeypatch.setattr("time.sleep", lambda _: None)
    config = folder / ".promptstore.toml"
    config.write_text(config.read_text().split("/acme")[0].rpartition(":")[0] + ':1"\n')
    assert check(folder, "acme", "--probe", "--yes", "--json") == 75
    assert json.loads(capfd.readouterr().out)["error"]["kind"] == "remote"


def test_an_unwritable_cassette_is_told_before_anything_is_sent(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(request: httpx.Request, _: httpx.BaseTransport) -> httpx.Response:
        raise AssertionError(f"sent: {request}")

    monkeypatch.setattr("promptstore.cli.probe._network", lambda _: Odd(refuse))
    (folder / "file").write_text("")
    assert check(folder, "acme", "--probe", "--yes", "--cassette", os.path.join("file", "x.json")) == 1
    assert "--cassette" in capfd.readouterr().err


def test_the_example_syncs_through_the_command_line(
    folder: Path, running: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    """The vendor of docs/adding-a-vendor.md, installed and not otherwise known: there, back again, and gone."""
    config = folder / ".promptstore.toml"
    config.write_text(config.read_text().split("[remotes.basalt]")[0])
    prompt = folder / "prompts" / "from-here.yaml"
    prompt.parent.mkdir(exist_ok=True)
    prompt.write_text("# ours\nmessages:\n  - {role: user, content: one}\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "One")

    def sync(*options: str) -> list[tuple[str, str]]:
        capfd.readouterr()
        assert run(["-C", str(folder), "sync", *options, "--json"]) == 0
        return [(action["kind"], action["slug"]) for action in json.loads(capfd.readouterr().out)["actions"]]

    assert ("create-remote", "from-here") in sync()
    assert sync() == []
    headers = {"Authorization": f"Bearer {KEY}"}
    notes = httpx.get(f"{running.url}/acme/notes", headers=headers).json()["notes"]
    note = next(note for note in notes if note["title"] == "from-here")
    url = f"{running.url}/acme/notes/{note['id']}"
    httpx.put(url, headers=headers, json={"title": "from-here", "text": "two"}).raise_for_status()
    assert sync() == [("update-local", "from-here")]
    assert prompt.read_text() == "# ours\nmessages:\n  - {role: user, content: two}\n"
    prompt.unlink()
    git(folder, "commit", "-qam", "Gone")
    assert sync("--allow-delete") == [("delete-remote", "from-here")]
    assert httpx.get(url, headers=headers).status_code == 404
    assert sync() == []
