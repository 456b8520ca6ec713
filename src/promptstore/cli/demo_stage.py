"""The stage of ``promptstore demo``: commands run as typed, files edited as by hand, and a check after each step."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from promptstore.cli.app import App
from promptstore.cli.demo_vendors import BasaltPage, BraintrustPage, PromptLayerPage, git
from promptstore.store.store import Store


@dataclass
class Scene:
    """The folder that a story plays in, and what went wrong so far."""

    app: App
    store: str
    step: int = field(default=0, kw_only=True)
    failures: list[str] = field(default_factory=list, kw_only=True)

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
            _environment(self.keys()),
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

    def keys(self) -> dict[str, str]:
        """Environment variables with the vendors' keys."""
        return {}

    def text_here(self, slug: str, tag: str | None = None) -> str:
        with Store.open(self.store) as store:
            messages = store.get(slug, tag=tag).messages or ()
        return str(messages[0].content)


@dataclass
class Stage(Scene):
    """With the pages of three vendors."""

    promptlayer: PromptLayerPage
    braintrust: BraintrustPage
    basalt: BasaltPage

    def keys(self) -> dict[str, str]:
        pages = {"PROMPTLAYER": self.promptlayer, "BRAINTRUST": self.braintrust, "BASALT": self.basalt}
        return {f"{name}_API_KEY": page.key for name, page in pages.items()}


def _quoted(word: str) -> str:
    return f"'{word}'" if " " in word else word


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
