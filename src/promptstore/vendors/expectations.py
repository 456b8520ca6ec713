"""Checks of what a vendor sent: each gives the value, or raises BadResponse naming what was expected where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promptstore.errors import BadResponse
from promptstore.model.digest import canonical_json

_KINDS = {dict: "an object", list: "a list", str: "a text", type(None): "null", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Expect:
    """The checks in the name of one vendor. ``where`` is the path within its answer."""

    title: str
    """The vendor's name in texts for people."""

    def senseless(self, what: str) -> BadResponse:
        """The error for an answer that makes no sense."""
        return BadResponse(f"{self.title}'s answer makes no sense: {what}")

    def wrong(self, where: str, expected: str, got: Any) -> BadResponse:
        """The error for a value that is not what it should be."""
        return self.senseless(f"expected {expected} at {where}, got {_KINDS.get(type(got), 'a number')}")

    def an_object(self, value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong(where, "an object", value)
        return value

    def a_list(self, value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            raise self.wrong(where, "a list", value)
        return value

    def a_text(self, value: Any, where: str) -> str:
        """A text, perhaps empty, of whole characters."""
        if not isinstance(value, str):
            raise self.wrong(where, "a text", value)
        self._whole_characters(value, where)
        return value

    def a_name(self, value: Any, where: str) -> str:
        """A text that is not empty."""
        if not self.a_text(value, where):
            raise self.senseless(f"an empty text at {where}")
        return value  # type: ignore[no-any-return]

    def objects(self, value: Any, where: str) -> list[dict[str, Any]]:
        return [self.an_object(item, f"{where}[{place}]") for place, item in enumerate(self.a_list(value, where))]

    def texts(self, value: Any, where: str) -> list[str]:
        return [self.a_text(item, f"{where}[{place}]") for place, item in enumerate(self.a_list(value, where))]

    def a_number(self, value: Any, where: str) -> int:
        """An id or a version number: a whole number from 1."""
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.wrong(where, "a whole number from 1", value)
        return value

    def characters(self, document: Mapping[str, Any]) -> None:
        """That all texts and keys of a document are whole characters: git could not hold half of one."""
        self._whole_characters(canonical_json(document), "the prompt")

    def _whole_characters(self, text: str, where: str) -> None:
        try:
            text.encode()
        except UnicodeEncodeError as problem:
            raise self.senseless(f"half of a character in {where}") from problem
