"""Messages and completions at vendors that keep one template format for a whole prompt, both ways. Pure.

The formats themselves, and how texts get from one to another, stand in ``prompt_formats``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from promptstore.errors import NotRepresentable
from promptstore.vendors.alignment import counterparts
from promptstore.vendors.block_formats import FILE_FORMAT
from promptstore.vendors.prompt_formats import PromptFormats, level_of
from promptstore.vendors.spelling import BODY, holds, keep_spelling
from promptstore.vendors.values import Data, Wire

_TOGETHER = ("template_format", "content")
_NEEDS_CONTENT = frozenset({"system", "developer", "user", "tool"})

ProjectMessage = Callable[[Data, str, str, str], Wire]
"""``(message, level, target, place) -> the vendor's message``; raises NotRepresentable. ``level`` is the format of
messages that name none, ``target`` that of the prompt at the vendor."""

PlainMessage = Callable[[Wire, Data | None, Data, Callable[[Data], Wire]], Data]
"""``(the vendor's message, old message, naming, projected) -> message`` in plain spelling, its texts in the format that
``naming`` (``template_format``, if need be) gives it; ``projected`` is the way back to the vendor's message."""


@dataclass(frozen=True, slots=True)
class PromptBlocks:
    """The texts of a prompt at one vendor: the messages of a chat, or the content of a completion."""

    formats: PromptFormats
    project_message: ProjectMessage
    plain_message: PlainMessage

    # --- out

    def project_messages(self, messages: list[Data], level: str, target: str) -> list[Wire]:
        """The messages as the vendor's. Raises NotRepresentable."""
        places = enumerate(messages)
        return [self.project_message(message, level, target, f"messages[{place}].") for place, message in places]

    def project_content(self, data: Data, level: str, target: str) -> str:
        """The text of a completion. Raises NotRepresentable."""
        content = self.formats.converted({key: data.get(key) for key in _TOGETHER}, level, target, "")["content"]
        if isinstance(content, str):
            return content
        if len(content) == 1 and set(content[0]) == {"type", "text"}:
            text: str = content[0]["text"]
            return text
        message = f"{self.formats.title}'s completion prompts are one plain text"
        hint = "make it one text, or a chat prompt with one message"
        raise NotRepresentable(message, field="content", hint=hint)

    # --- in

    def lift_messages(self, wires: list[Wire], target: str, old: Data) -> Data:
        """``messages``, with the ``template_format`` of the prompt, in the spelling of ``old`` where it means the
        same."""
        olds, level, spelled = old.get("messages") or [], level_of(old), old.get("template_format")
        pairs = counterparts(wires, olds, self._projection(level, target), lambda item: item["role"])
        messages = self._lifted(wires, pairs, level, target)
        serves = any(
            "template_format" not in message or message is before
            for message, before in zip(messages, pairs, strict=True)
        )
        if level != target and not (olds and serves):
            spelled = target
            messages = self._lifted(wires, pairs, target, target)
        return {"messages": messages, **({"template_format": spelled} if spelled else {})}

    def _projection(self, level: str, target: str) -> Callable[[Data], Wire]:
        return lambda message: self.project_message(message, level, target, "")

    def _lifted(self, wires: list[Wire], pairs: list[Data | None], level: str, target: str) -> list[Data]:
        return [self._lift(wire, before, level, target) for wire, before in zip(wires, pairs, strict=True)]

    def _lift(self, wire: Wire, old: Data | None, level: str, target: str) -> Data:
        projected = self._projection(level, target)

        def still(message: Data) -> bool:
            return holds(lambda: projected(message), wire)

        if old is not None and still(old):
            return old
        fresh = self.plain_message(wire, old, {"template_format": target} if target != level else {}, projected)
        if wire["role"] in _NEEDS_CONTENT:
            fresh.setdefault("content", None)
        fresh = self.formats.as_written(fresh, old or {}, level, target, still)
        return fresh if old is None else keep_spelling(fresh, old, still, [_TOGETHER])

    def lift_content(self, text: str, target: str, old: Data) -> Data:
        """``content`` and ``template_format`` of a completion as the prompt file says them."""
        fresh: Data = {"template_format": target, "content": text}
        before = {key: old[key] for key in _TOGETHER if old.get(key) is not None}

        def still(data: Data) -> bool:
            return data.get("content") is not None and holds(
                lambda: {"content": self.project_content(data, level_of(data), target)}, {"content": text}
            )

        if "content" not in before:
            return fresh
        fresh = self.formats.as_written(fresh, before, FILE_FORMAT, target, still)
        return keep_spelling(fresh, before, still, [_TOGETHER])


def respelled(
    fresh: Callable[[Data], Data], old: Data, still: Callable[[Data], bool], groups: Iterable[tuple[str, ...]]
) -> Data:
    """A prompt in the spelling of ``old`` wherever that means the same; see ``keep_spelling``.

    ``fresh`` gives it in plain spelling, but for its texts and tools, which are spelled as in the given prompt.
    """
    found = fresh(old)
    if not still(found):
        # Texts in other formats would have the vendor's copy in another one: all of them take on the vendor's.
        found = fresh({})
    return keep_spelling(found, old, still, groups, leave=BODY)
