"""A real Phoenix and its own Python client, both in an environment of their own, beside a store of ours."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from repos import commit, git, make_store

from promptstore.cli.run import run

ENVIRONMENT = Path(__file__).parents[2] / ".venv-real"
"""Where ``.ci/real`` installs Phoenix and its client, unless PHOENIX_ENVIRONMENT names another environment."""

_ENVIRONMENT = os.environ.get("PHOENIX_ENVIRONMENT") or ENVIRONMENT
_LOOP = """
import json, sys
from phoenix.client import Client
from phoenix.client.types.prompts import PromptVersion


def version(text, **more):
    return PromptVersion([{"role": "user", "content": text}], model_name="gpt-4o", **more)


def text_of(found, **variables):
    return found.format(variables=variables).messages[0]["content"]


for line in sys.stdin:
    asked = json.loads(line)
    client = Client(base_url=asked["url"], api_key=asked["key"])

    def create(name, text, **more):
        made = client.prompts.create(name=name, version=version(text, description=more.pop("why", "by hand")), **more)
        return made.id

    known = {"client": client, "create": create, "version": version, "text_of": text_of, **asked["given"]}
    try:
        exec(asked["code"], known)
        answer = {"result": known.get("result")}
    except Exception as problem:
        answer = {"error": repr(problem)}
    print(json.dumps(answer), flush=True)
"""


def environment() -> Path:
    """Raises AssertionError with what to do where the environment is not there."""
    where = Path(_ENVIRONMENT)
    assert (where / "bin" / "phoenix").exists(), f"there is no Phoenix in {where}: run `bash .ci/real` to install it"
    return where


@dataclass(frozen=True)
class RunningPhoenix:
    """A server that somebody else started."""

    url: str


class PhoenixClient:
    """Phoenix's own Python client, in a process of its own environment."""

    def __init__(self) -> None:
        command = [str(environment() / "bin" / "python"), "-u", "-c", _LOOP]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, url: str, code: str, key: str | None = None, **given: Any) -> Any:
        """Run ``code``, which knows ``client``, a few short hands, and what is ``given``; gives its ``result``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"url": url, "key": key, "code": code, "given": given}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass
class Team:
    """A git repository connected to a Phoenix, and the commands that its people type."""

    root: Path
    url: str
    prefix: str
    direct: str
    """The server itself, past what may stand before it."""
    settings: str = ""

    def __post_init__(self) -> None:
        config = f"""[store]
prompts = "prompts"
branch = "main"

[remotes.phoenix]
vendor = "phoenix"
base_url = "{self.url}"
include = ["{self.prefix}/**"]

[sync]
settle = "1s"
{self.settings}"""
        make_store(self.root, config).close()
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "-m", "Start")

    def run(self, *arguments: str, expect: Sequence[int] = (0,)) -> dict[str, Any]:
        """A command, and what it says as JSON."""
        out, told = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
            code = run(["-C", str(self.root), "--json", *arguments])
        assert code in expect, f"{arguments} exited {code}: {out.getvalue()} {told.getvalue()}"
        answer: dict[str, Any] = json.loads(out.getvalue()) if out.getvalue().strip() else {}
        return answer

    def sync(self, *arguments: str, expect: Sequence[int] = (0,)) -> list[tuple[str, str]]:
        """What a sync did: kinds of actions with their prompts."""
        done = self.run("sync", *arguments, expect=expect)
        return [(action["kind"], action["slug"]) for action in done["actions"] if action["result"] == "done"]

    def write(self, name: str, text: str, more: str = "") -> None:
        """Commit a prompt file with one message in mustache."""
        self.write_all({name: text}, more)

    def write_all(self, texts: Mapping[str, str | None], more: str = "", message: str = "Edited here") -> None:
        files = {f"{self.prefix}/{name}": None if text is None else chat(text, more) for name, text in texts.items()}
        commit(self.root, files, message)

    def text(self, name: str, revision: str = "") -> str:
        """The text of a prompt as it is committed."""
        found = self.run("get", f"{self.prefix}/{name}{revision}")
        content = found["prompt"]["messages"][0]["content"]
        assert isinstance(content, str)
        return content

    def versions(self, name: str) -> list[str]:
        """The texts of the versions that Phoenix has, oldest first, past our client."""
        answer = httpx.get(
            f"{self.direct}/v1/prompts/{self.prefix}--{name}/versions", params={"limit": 1000}, timeout=30
        )
        answer.raise_for_status()
        return [_text(item) for item in reversed(answer.json()["data"])]


def _text(item: dict[str, Any]) -> str:
    content = item["template"]["messages"][0]["content"]
    return str(content if isinstance(content, str) else content[0]["text"])


def chat(text: str, more: str = "") -> str:
    lines = "".join(f"      {line}\n" for line in text.split("\n"))
    model = "model: {provider: openai, name: gpt-4o}\n"
    return f"{more}{model}template_format: mustache\nmessages:\n  - role: user\n    content: |-\n{lines}"
