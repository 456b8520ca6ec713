"""What a vendor's documents leave open, and how a probe finds it out.

A vendor declares its questions as data, ``QUESTIONS`` in the module that ``Vendor.questions`` names. Each says what
this program takes for granted meanwhile, so that a probe can tell where the real server does something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import quote, urlencode

from promptstore.vendors.base import Document, RemoteHead, Vendor, Workspace
from promptstore.vendors.conformance.ground import Ground, Made
from promptstore.vendors.conformance.recorder import Exchange


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that only the vendor's own server can tell."""

    name: str
    asks: str
    """The question, as a sentence."""
    assumed: str
    """The answer that the code rests on; empty where it was written to do with any answer."""
    find: Callable[[Asking], str]
    """The answer, in few words. Raises NotApplicable where nothing can tell, PromptStoreError where a call fails."""
    writes: bool = False
    """Does finding it out change anything, in prompts of the probe's own."""


class Asking:
    """What a question may use: the vendor's client, requests of its own, and prompts of its own."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    @property
    def workspace(self) -> Workspace:
        return self._ground.workspace

    @property
    def exchanges(self) -> list[Exchange]:
        """All that went over the wire so far, oldest first."""
        return self._ground.recorder.exchanges

    def subject(self) -> RemoteHead:
        """A prompt to look at: one of ours, else any. Raises NotApplicable where there is none."""
        return self._ground.subject()

    def document(self, name: str, text: str, **more: Any) -> tuple[str, Document]:
        """A slug of our own and the document of a one-message prompt; ``more`` are keys of the prompt file."""
        slug = self._ground.slug(f"asks-{name}")
        return slug, self._ground.project(self._ground.prompt(text, **more), slug)

    def publish(self, name: str, text: str, **more: Any) -> Made:
        """A version of a prompt of our own."""
        return self._ground.publish(*self.document(name, text, **more))

    def delete(self, made: Made) -> None:
        self.workspace.delete(made.id)
        self._ground.forget(made.slug)

    def adopt(self, slug: str, prompt_id: str) -> None:
        """Have a prompt deleted in the end that was made past `publish`."""
        self._ground.made[slug] = prompt_id

    def ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """A request of our own with the key of the vendor's client; any status is an answer.

        ``path`` is percent-encoded and begins with a slash. Raises httpx.RequestError where no answer comes.
        """
        query = f"?{urlencode(params, quote_via=quote)}" if params else ""
        return self._ground.recorder.ask(method, f"{self._ground.base_url}{path}{query}", body, headers)


def _rate_headers(asking: Asking) -> str:
    told = {name for exchange in asking.exchanges for name in exchange.headers if "ratelimit" in name.replace("-", "")}
    told |= {name for exchange in asking.exchanges for name in exchange.headers if name == "retry-after"}
    return ", ".join(sorted(told)) or "none"


def _same_again(asking: Asking) -> str:
    first, second = (asking.publish("same", "the same text") for _ in range(2))
    return "no version" if second.version == first.version else "a new version"


def _deleted_name(asking: Asking) -> str:
    first = asking.publish("revived", "before")
    asking.delete(first)
    second = asking.publish("revived", "after")
    return "the old prompt" if second.id == first.id else "another prompt"


_ASKED_OF_ALL = (Question("rate-headers", "Which headers tell the rate limit?", "", _rate_headers),)
_ASKED_OF_WRITERS = (
    Question("same-text", "What does a publish of the same text make?", "a new version", _same_again, writes=True),
)
_ASKED_OF_DELETERS = (
    Question(
        "deleted-name", "Whose is a deleted prompt's name once it is published again?", "", _deleted_name, writes=True
    ),
)


def questions_about(vendor: Vendor) -> tuple[Question, ...]:
    """What can be asked of every vendor that can do as much, and the vendor's own questions."""
    capabilities = vendor.capabilities
    common = (
        *_ASKED_OF_ALL,
        *(_ASKED_OF_WRITERS if capabilities.write else ()),
        *(_ASKED_OF_DELETERS if capabilities.write and capabilities.delete else ()),
    )
    own: tuple[Question, ...] = import_module(vendor.questions).QUESTIONS if vendor.questions else ()
    names = {question.name for question in own}
    return (*(question for question in common if question.name not in names), *own)
