"""The story that ``promptstore demo`` plays: real commands, their real output, and a check after each step."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from promptstore.cli.app import App
from promptstore.errors import PromptStoreError
from promptstore.serve.server import embedded
from promptstore.store.store import Store

VENDOR_PROMPTS = {
    "support/triage": "You sort support tickets.\nAnswer with one word: billing, bug or other.\n\n{{ ticket }}",
    "support/summarizer": "Summarise the ticket for the next agent.\nKeep it under five lines.\n\n{{ ticket }}",
    "release-notes": "Write release notes from these commits.\nLeave out chores.\n\n{{ commits }}",
}

VENDOR_CONFIG = '[store]\nprompts = "prompts"\nbranch = "main"\n'


@dataclass
class Stage:
    """The folder the story plays in, and what went wrong so far."""

    app: App
    store: str
    vendor: str
    url: str = ""
    key: str = ""
    step: int = 0
    failures: list[str] = field(default_factory=list)

    # --- telling

    def tell(self, text: str) -> None:
        self.step += 1
        self.app.say(f"\n{self.app.styled(f'{self.step}. {text}', 'bold')}")

    def check(self, what: str, right: bool) -> None:
        """Tell whether a step came out right."""
        mark = self.app.styled("ok", "green") if right else self.app.styled("WRONG", "red")
        self.app.say(f"   {mark}  {what}")
        if not right:
            self.failures.append(f"step {self.step}: {what}")

    # --- acting

    def run(self, *arguments: str, expect: int = 0) -> str:
        """A promptstore command in the store's folder, as typed; its output is shown."""
        from promptstore.cli.run import run

        self.app.say(self.app.styled(f"   $ promptstore {' '.join(arguments)}", "blue"))
        out = io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(out),
            _variable("PROMPTLAYER_API_KEY", self.key),
        ):
            code = run(["-C", self.store, *arguments])
        for line in out.getvalue().splitlines():
            self.app.say(f"     {line}")
        if code != expect:
            self.failures.append(f"step {self.step}: promptstore {' '.join(arguments)} exited {code}, not {expect}")
        return out.getvalue()

    def git(self, *arguments: str) -> str:
        self.app.say(self.app.styled(f"   $ git {' '.join(_quoted(word) for word in arguments)}", "blue"))
        return git(self.store, *arguments)

    def write(self, slug: str, change: Callable[[str], str]) -> None:
        """Edit a prompt's file as a person would in an editor."""
        path = os.path.join(self.store, "prompts", f"{slug}.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(change(text))

    def in_the_page(self, method: str, path: str, body: Any = None) -> Any:
        """What a colleague does in the vendor's own page, as the page itself would: by the vendor's API."""
        answer = httpx.request(method, f"{self.url}{path}", json=body, headers={"X-API-KEY": self.key}, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def publish_there(self, name: str, text: str, label: str | None = None) -> int:
        message = {"role": "system", "content": [{"type": "text", "text": text}], "template_format": "jinja2"}
        body = {
            "prompt_template": {"prompt_name": name},
            "prompt_version": {
                "prompt_template": {"type": "chat", "messages": [message]},
                "commit_message": "Edited in the page",
            },
            "release_labels": [label] if label else None,
        }
        return int(self.in_the_page("POST", "/rest/prompt-templates", body)["id"])

    def text_there(self, name: str) -> str:
        listing = self.in_the_page("GET", "/prompt-templates?per_page=100")
        found = next(item for item in listing["items"] if item["prompt_name"] == name)
        answer = self.in_the_page("GET", f"/prompt-templates/{found['id']}?resolve_snippets=false")
        return str(answer["prompt_template"]["messages"][0]["content"][0]["text"])

    def text_here(self, slug: str, tag: str | None = None) -> str:
        with Store.open(self.store) as store:
            messages = store.get(slug, tag=tag).messages or ()
        return str(messages[0].content)


def play(app: App, folder: str, *, kept: bool) -> int:
    """Play the story in ``folder``; the exit code says whether every step came out right."""
    started = time.monotonic()
    stage = Stage(app, os.path.join(folder, "prompts-repo"), os.path.join(folder, "vendor"))
    make_vendor(stage.vendor)
    with Store.open(stage.vendor) as vendor, embedded(vendor) as running:
        stage.url, stage.key = running.url, running.key
        try:
            for act in (workspace, first_sync, edit_here, edit_there, conflict, resolution, application):
                act(stage)
        except (PromptStoreError, httpx.HTTPError, OSError, StopIteration) as error:
            stage.failures.append(f"step {stage.step}: {type(error).__name__}: {error}")
    return epilogue(stage, time.monotonic() - started, kept)


def workspace(stage: Stage) -> None:
    stage.tell("Your team keeps its prompts in a vendor's workspace: here a local twin of PromptLayer.")
    for name, text in VENDOR_PROMPTS.items():
        stage.publish_there(name, text, label="production")
    stage.check(f"{len(VENDOR_PROMPTS)} prompts, labelled production, at {stage.url}", True)


def first_sync(stage: Stage) -> None:
    stage.tell(
        "Make a store, connect the workspace, and import it: every prompt becomes a file, every version a commit."
    )
    os.makedirs(stage.store)
    git(stage.store, "init", "-q", "-b", "main")
    identify(stage.store, "You")
    stage.run("init")
    stage.run("remote", "add", "promptlayer", "--base-url", stage.url)
    stage.git("add", "-A")
    stage.git("commit", "-q", "-m", "Start a prompt store")
    stage.run("sync")
    stage.check("the texts are the same to the byte", all(stage.text_here(n) == t for n, t in VENDOR_PROMPTS.items()))
    stage.check(
        "labels became tags", stage.text_here("support/triage", "production") == VENDOR_PROMPTS["support/triage"]
    )


def edit_here(stage: Stage) -> None:
    stage.tell("Edit a prompt in your editor and commit it. The plan shows what would be published; sync publishes it.")
    stage.write("support/triage", lambda text: text.replace("billing, bug or other", "billing, bug, praise or other"))
    stage.run("diff", "support/triage")
    stage.git("commit", "-q", "-a", "-m", "Triage knows praise")
    plan = stage.run("plan")
    stage.check("the plan names the one prompt", "support/triage" in plan and "summarizer" not in plan)
    stage.run("sync")
    stage.check("the vendor has the new text", "praise" in stage.text_there("support/triage"))
    again = stage.run("sync")
    stage.check("doing it again does nothing", "everything is in sync" in again)


def edit_there(stage: Stage) -> None:
    stage.tell("A colleague edits another prompt in the vendor's page and moves its label. Both arrive in git.")
    text = VENDOR_PROMPTS["support/summarizer"].replace("five lines", "three lines")
    stage.publish_there("support/summarizer", text, label="production")
    stage.run("sync")
    stage.check("the file has the colleague's text", stage.text_here("support/summarizer") == text)
    stage.check("the tag moved with the label", stage.text_here("support/summarizer", "production") == text)
    stage.run("log", "support/summarizer")
    stage.run("tags", "support/summarizer", "--history")


def conflict(stage: Stage) -> None:
    stage.tell("You and the colleague change the same line at once. Nothing is overwritten: it is shown as a conflict.")
    stage.write("release-notes", lambda text: text.replace("Leave out chores.", "Leave out chores and refactorings."))
    stage.git("commit", "-q", "-a", "-m", "No refactorings in the notes")
    theirs = VENDOR_PROMPTS["release-notes"].replace("Leave out chores.", "Group them by audience.")
    stage.publish_there("release-notes", theirs)
    shown = stage.run("sync", expect=3)
    stage.check("the conflict names the prompt", "conflict release-notes" in shown)
    stage.check("ours is untouched", "refactorings" in stage.text_here("release-notes"))
    stage.check("theirs is untouched", stage.text_there("release-notes") == theirs)


def resolution(stage: Stage) -> None:
    stage.tell("Settle it. The choice is a commit here, and the next sync publishes it.")
    stage.run("resolve", "release-notes", "--ours")
    stage.run("sync")
    stage.check("both sides agree", stage.text_there("release-notes") == stage.text_here("release-notes"))
    seen = git(stage.store, "log", "--format=%s", "promptlayer/main")
    stage.check(
        "what lost is still in git (promptlayer/main)", seen.count("Edited in the page") >= len(VENDOR_PROMPTS) + 2
    )


def application(stage: Stage) -> None:
    stage.tell("Your application reads prompts from the repository: no network, and no vendor to be down.")
    with Store.open(stage.store) as store:
        prompt = store.get("support/triage", tag="production")
        rendered = prompt.render(ticket="I was charged twice.")
    stage.app.say('     Store.open(".").get("support/triage", tag="production").render(ticket="I was charged twice.")')
    stage.check("rendered in this process", "charged twice" in rendered[0]["content"])


def epilogue(stage: Stage, seconds: float, kept: bool) -> int:
    stage.app.say()
    for failure in stage.failures:
        stage.app.note(f"error: {failure}")
    if stage.failures:
        stage.app.note("hint: run `promptstore demo --keep DIR` and look at what is there")
    else:
        stage.app.say(stage.app.styled(f"Every step came out right, in {seconds:.1f} seconds.", "green"))
    if kept:
        stage.app.say(f"The store is in {stage.store}.")
    if stage.app.json:
        stage.app.emit({"steps": stage.step, "seconds": round(seconds, 1), "failures": stage.failures})
    return 1 if stage.failures else 0


# --- pieces


def make_vendor(folder: str) -> None:
    """The store behind the twin. Its branch is not checked out, so that its writes touch no work tree."""
    os.makedirs(folder)
    git(folder, "init", "-q", "-b", "main")
    identify(folder, "A colleague")
    with open(os.path.join(folder, ".promptstore.toml"), "w", encoding="utf-8") as file:
        file.write(VENDOR_CONFIG)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "The vendor's side")
    git(folder, "checkout", "-q", "--detach")


def identify(folder: str, name: str) -> None:
    git(folder, "config", "user.name", name)
    git(folder, "config", "user.email", f"{name.rpartition(' ')[2].lower()}@example.com")
    git(folder, "config", "commit.gpgsign", "false")


def git(folder: str, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PromptStoreError(
            f"git {arguments[0]} failed: {done.stderr.strip()}", hint="is git set up on this machine?"
        )
    return done.stdout


def _quoted(word: str) -> str:
    return f"'{word}'" if " " in word else word


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
