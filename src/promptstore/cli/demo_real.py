"""The story that ``promptstore demo --real`` plays, with a real Arize Phoenix that is started for it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import httpx

from promptstore.cli.app import App
from promptstore.cli.demo_stage import Scene
from promptstore.cli.demo_story import epilogue
from promptstore.cli.demo_vendors import git, identify
from promptstore.cli.phoenix_server import PhoenixServer, find_phoenix
from promptstore.errors import PromptStoreError
from promptstore.store.store import Store

TRIAGE = "You sort support tickets.\nAnswer with one word: billing, bug or other.\n\n{{ticket}}"
SUMMARIZER = "Summarise the ticket for the next agent.\nKeep it under five lines.\n\n{{ticket}}"
PROMPTS = {"support/triage": TRIAGE, "support/summarizer": SUMMARIZER}


@dataclass
class RealScene(Scene):
    """With a server, and what a colleague does there, as Phoenix's page and client would."""

    server: PhoenixServer

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(method, f"{self.server.url}{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def publish(self, slug: str, text: str) -> str:
        """A version by a colleague; gives its id."""
        version = {
            "description": "Edited in Phoenix",
            "model_provider": "OPENAI",
            "model_name": "gpt-4o",
            "template_type": "CHAT",
            "template_format": "MUSTACHE",
            "template": {"type": "chat", "messages": [{"role": "system", "content": text}]},
            "invocation_parameters": {"type": "openai", "openai": {"temperature": 0.2}},
        }
        made = self.ask("POST", "/v1/prompts", {"prompt": {"name": slug.replace("/", "--")}, "version": version})
        return str(made["data"]["id"])

    def label(self, version: str, tag: str) -> None:
        self.ask("POST", f"/v1/prompt_versions/{version}/tags", {"name": tag})

    def texts(self, slug: str) -> list[str]:
        """The texts of all versions, oldest first."""
        items = self.ask("GET", f"/v1/prompts/{slug.replace('/', '--')}/versions")["data"]
        contents = [item["template"]["messages"][0]["content"] for item in reversed(items)]
        return [content if isinstance(content, str) else content[0]["text"] for content in contents]


def play(app: App, folder: str, *, kept: bool) -> int:
    """Play the story in ``folder``; the exit code says whether every step came out right.

    Raises ConfigError where no Phoenix is installed.
    """
    started = time.monotonic()
    command = find_phoenix(app.environ)
    server = PhoenixServer(command, os.path.join(folder, "phoenix"), app.environ)
    app.say(f"Starting {command[0]} at {server.url} (the first start makes a database) ...")
    with server:
        scene = RealScene(app, os.path.join(folder, "prompts-repo"), server)
        try:
            for act in ACTS:
                act(scene)
        except (PromptStoreError, httpx.HTTPError, OSError) as error:
            scene.failures.append(f"step {scene.step}: {type(error).__name__}: {error}")
    return epilogue(scene, time.monotonic() - started, kept)


def workspace(scene: RealScene) -> None:
    scene.tell("Your team runs Phoenix itself, and keeps its prompts there.")
    for slug, text in PROMPTS.items():
        scene.label(scene.publish(slug, text), "production")
    scene.check(f"{len(PROMPTS)} prompts, tagged production, at {scene.server.url}", True)


def first_sync(scene: RealScene) -> None:
    scene.tell(
        "Make a store, connect Phoenix (it needs no key), and import: each prompt a file, each version a commit."
    )
    os.makedirs(scene.store)
    git(scene.store, "init", "-q", "-b", "main")
    identify(scene.store, "You")
    scene.run("init")
    scene.run("remote", "add", "phoenix", "--base-url", scene.server.url)
    scene.git("add", "-A")
    scene.git("commit", "-q", "-m", "Start a prompt store")
    scene.run("sync")
    scene.check("the texts are the same to the byte", all(scene.text_here(s) == t for s, t in PROMPTS.items()))
    scene.check("Phoenix's tags are tags here", scene.text_here("support/triage", "production") == TRIAGE)


def edit_here(scene: RealScene) -> None:
    scene.tell("Edit a prompt in your editor, commit it, and move its tag. One sync takes both to Phoenix.")
    scene.write("support/triage", lambda text: text.replace("billing, bug or other", "billing, bug, praise or other"))
    scene.git("commit", "-q", "-a", "-m", "Triage knows praise")
    scene.run("tag", "support/triage", "production")
    scene.run("sync")
    scene.check("Phoenix has one version more", len(scene.texts("support/triage")) == 2)
    live = scene.ask("GET", "/v1/prompts/support--triage/tags/production")["data"]
    scene.check("its tag is on it", live["description"] == "Triage knows praise")
    scene.check("doing it again does nothing", "everything is in sync" in scene.run("sync"))


def edit_there(scene: RealScene) -> None:
    scene.tell("A colleague edits the other prompt in Phoenix and moves its tag. Both arrive in git.")
    text = SUMMARIZER.replace("five lines", "three lines")
    scene.label(scene.publish("support/summarizer", text), "production")
    scene.run("sync")
    scene.check("the file has the colleague's text", scene.text_here("support/summarizer") == text)
    scene.check("the tag moved along", scene.text_here("support/summarizer", "production") == text)
    scene.run("log", "support/summarizer")


def conflict(scene: RealScene) -> None:
    scene.tell(
        "You both change the same line. Nothing is overwritten; you settle it, and the next sync publishes that."
    )
    scene.write("support/triage", lambda text: text.replace("one word", "one lower-case word"))
    scene.git("commit", "-q", "-a", "-m", "Lower case")
    theirs = scene.texts("support/triage")[-1].replace("one word", "a single word")
    scene.publish("support/triage", theirs)
    scene.check("it is a conflict", "conflict support/triage" in scene.run("sync", expect=3))
    scene.check("theirs is untouched", scene.texts("support/triage")[-1] == theirs)
    scene.run("resolve", "support/triage", "--ours")
    scene.run("sync")
    scene.check("both sides agree", scene.texts("support/triage")[-1] == scene.text_here("support/triage"))


def outage(scene: RealScene) -> None:
    scene.tell("Phoenix dies. Your application does not notice: it reads from git. What you edit meanwhile is kept.")
    scene.server.kill()
    with Store.open(scene.store) as store:
        rendered = store.get("support/triage", tag="production").render(ticket="I was charged twice.")
    scene.check("rendered in this process", "charged twice" in rendered[0]["content"])
    scene.write("support/summarizer", lambda text: text.replace("three lines", "four lines"))
    scene.git("commit", "-q", "-a", "-m", "Four lines")
    scene.run("sync", expect=75)
    scene.app.say(f"     Starting Phoenix again at {scene.server.url} ...")
    scene.server.start()
    scene.run("sync")
    scene.check(
        "Phoenix has the edit, once", [("four" in text) for text in scene.texts("support/summarizer")].count(True) == 1
    )


ACTS = (workspace, first_sync, edit_here, edit_there, conflict, outage)
