"""The story that ``promptstore demo`` plays: real commands, their real output, and a check after each step."""

from __future__ import annotations

import os
import time

import httpx

from promptstore.cli.app import App
from promptstore.cli.demo_stage import Scene, Stage
from promptstore.cli.demo_vendors import (
    PROJECT,
    BasaltPage,
    BraintrustPage,
    PromptLayerPage,
    git,
    identify,
    make_vendors,
    served,
)
from promptstore.errors import PromptStoreError
from promptstore.store.store import Store

VENDOR_PROMPTS = {
    "support/triage": "You sort support tickets.\nAnswer with one word: billing, bug or other.\n\n{{ ticket }}",
    "support/summarizer": "Summarise the ticket for the next agent.\nKeep it under five lines.\n\n{{ ticket }}",
    "release-notes": "Write release notes from these commits.\nLeave out chores.\n\n{{ commits }}",
}

ONBOARDING = """\
model:
  provider: openai
  name: gpt-4o
  parameters: {temperature: 0.2, maxLength: 800, responseFormat: text}
template_format: jinja2
messages:
  - role: system
    content: Welcome the customer.
  - role: user
    content: "{{ name }}"
"""


def play(app: App, folder: str, *, kept: bool) -> int:
    """Play the story in ``folder``; the exit code says whether every step came out right."""
    started = time.monotonic()
    folders = [os.path.join(folder, name) for name in ("promptlayer", "braintrust", "basalt")]
    make_vendors(folders)
    with (
        served(folders[0], PromptLayerPage) as promptlayer,
        served(folders[1], BraintrustPage) as braintrust,
        served(folders[2], BasaltPage) as basalt,
    ):
        stage = Stage(app, os.path.join(folder, "prompts-repo"), promptlayer, braintrust, basalt)
        try:
            for act in ACTS:
                act(stage)
        except (PromptStoreError, httpx.HTTPError, OSError, StopIteration) as error:
            stage.failures.append(f"step {stage.step}: {type(error).__name__}: {error}")
    return epilogue(stage, time.monotonic() - started, kept)


def workspace(stage: Stage) -> None:
    stage.tell("Your team keeps its prompts in a vendor's workspace: here a local twin of PromptLayer.")
    for name, text in VENDOR_PROMPTS.items():
        stage.promptlayer.publish(name, text, label="production")
    stage.check(f"{len(VENDOR_PROMPTS)} prompts, labelled production, at {stage.promptlayer.url}", True)


def first_sync(stage: Stage) -> None:
    stage.tell(
        "Make a store, connect the workspace, and import it: every prompt becomes a file, every version a commit."
    )
    os.makedirs(stage.store)
    git(stage.store, "init", "-q", "-b", "main")
    identify(stage.store, "You")
    stage.run("init")
    stage.run("remote", "add", "promptlayer", "--base-url", stage.promptlayer.url)
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
    stage.check("the vendor has the new text", "praise" in stage.promptlayer.text("support/triage"))
    again = stage.run("sync")
    stage.check("doing it again does nothing", "everything is in sync" in again)


def edit_there(stage: Stage) -> None:
    stage.tell("A colleague edits another prompt in the vendor's page and moves its label. Both arrive in git.")
    text = VENDOR_PROMPTS["support/summarizer"].replace("five lines", "three lines")
    stage.promptlayer.publish("support/summarizer", text, label="production")
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
    stage.promptlayer.publish("release-notes", theirs)
    shown = stage.run("sync", expect=3)
    stage.check("the conflict names the prompt", "conflict release-notes" in shown)
    stage.check("ours is untouched", "refactorings" in stage.text_here("release-notes"))
    stage.check("theirs is untouched", stage.promptlayer.text("release-notes") == theirs)


def resolution(stage: Stage) -> None:
    stage.tell("Settle it. The choice is a commit here, and the next sync publishes it.")
    stage.run("resolve", "release-notes", "--ours")
    stage.run("sync")
    stage.check("both sides agree", stage.promptlayer.text("release-notes") == stage.text_here("release-notes"))
    seen = git(stage.store, "log", "--format=%s", "promptlayer/main")
    stage.check(
        "what lost is still in git (promptlayer/main)", seen.count("Edited in the page") >= len(VENDOR_PROMPTS) + 2
    )


def hub(stage: Stage) -> None:
    stage.tell("Connect two more vendors, Braintrust and Basalt. One sync, and each has what it can take.")
    stage.basalt.save("support/onboarding", ONBOARDING)
    stage.run("remote", "add", "braintrust", "--project", PROJECT, "--base-url", stage.braintrust.url)
    stage.run("remote", "add", "basalt", "--base-url", stage.basalt.url)
    stage.git("commit", "-q", "-a", "-m", "Connect Braintrust and Basalt")
    stage.run("sync")
    stage.check(
        "Braintrust has PromptLayer's prompts, its variables in mustache",
        stage.braintrust.text("support/triage").endswith("{{{ ticket }}}"),
    )
    stage.check("PromptLayer and Braintrust have Basalt's prompt", _everywhere(stage, "Welcome the customer."))
    stage.check(
        "the release label became an environment",
        "three lines" in stage.braintrust.text("support/summarizer", environment="production"),
    )


def across(stage: Stage) -> None:
    stage.tell("Someone edits in Basalt, someone else moves a label in PromptLayer: both go round in one sync.")
    stage.basalt.save("support/onboarding", ONBOARDING.replace("Welcome", "Warmly welcome"))
    stage.promptlayer.label("support/onboarding", "production", 1)
    stage.run("sync")
    stage.check("the edit is in git, PromptLayer and Braintrust", _everywhere(stage, "Warmly welcome the customer."))
    stage.check(
        "the label is an environment in Braintrust and a tag in Basalt",
        stage.braintrust.text("support/onboarding", environment="production")
        == stage.basalt.text("support/onboarding", tag="production")
        == "Welcome the customer.",
    )


def held(stage: Stage) -> None:
    stage.tell("Basalt's API cannot write texts. An edit here goes to the others, and is held for Basalt, plainly.")
    stage.write("support/onboarding", lambda text: text.replace("Warmly welcome", "Greet"))
    stage.git("commit", "-q", "-a", "-m", "Shorter onboarding")
    shown = stage.run("sync", expect=3)
    stage.check("it says so", "Basalt has no API to write content" in shown)
    stage.check("PromptLayer and Braintrust have the edit", _everywhere(stage, "Greet the customer."))
    stage.check("Basalt is untouched", stage.basalt.text("support/onboarding") == "Warmly welcome the customer.")


def _everywhere(stage: Stage, text: str) -> bool:
    slug = "support/onboarding"
    return stage.text_here(slug) == stage.promptlayer.text(slug) == stage.braintrust.text(slug) == text


def application(stage: Stage) -> None:
    stage.tell("Your application reads prompts from the repository: no network, and no vendor to be down.")
    with Store.open(stage.store) as store:
        prompt = store.get("support/triage", tag="production")
        rendered = prompt.render(ticket="I was charged twice.")
    stage.app.say('     Store.open(".").get("support/triage", tag="production").render(ticket="I was charged twice.")')
    stage.check("rendered in this process", "charged twice" in rendered[0]["content"])


ACTS = (workspace, first_sync, edit_here, edit_there, conflict, resolution, hub, across, held, application)


def epilogue(stage: Scene, seconds: float, kept: bool) -> int:
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
