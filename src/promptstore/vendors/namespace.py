"""What only one vendor has: it stands verbatim under ``vendors.<vendor>`` of a prompt file and of its parts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from promptstore.errors import BadResponse, NotRepresentable
from promptstore.vendors.values import Data, Wire

if TYPE_CHECKING:
    from promptstore.model.prompt_file import PromptFile


@dataclass(frozen=True, slots=True)
class Namespace:
    """One vendor's place in prompt files."""

    vendor: str
    """The key under ``vendors``."""
    title: str
    """The vendor's name in texts for people."""

    def own(self, data: Data) -> Wire:
        """What stands under the vendor's key."""
        verbatim: Wire = (data.get("vendors") or {}).get(self.vendor) or {}
        return verbatim

    def over_document(self, data: Data, keys: Collection[str]) -> Wire:
        """What a prompt says under the vendor's key, to be laid over its document, which has no other ``keys``.

        Raises NotRepresentable.
        """
        above = self.own(data)
        for key in above:
            if key not in keys:
                field, hint = f"vendors.{self.vendor}.{key}", f"use one of {', '.join(keys)}"
                raise NotRepresentable(f"{self.title} keeps no {key!r}", field=field, hint=hint)
        return above

    def stands_in(self, data: Data) -> bool:
        """Whether the vendor's key is there, be it empty."""
        return self.vendor in (data.get("vendors") or {})

    def beside(self, data: Data, rest: Wire, old: Data | None, *, always: bool = False) -> Data:
        """The data with this vendor's ``rest``, beside what the old data keeps for other vendors.

        An empty ``rest`` is left out unless ``always``.
        """
        others = {name: value for name, value in ((old or {}).get("vendors") or {}).items() if name != self.vendor}
        vendors = {**others, **({self.vendor: rest} if rest or always else {})}
        return {**data, "vendors": vendors} if vendors else data

    def prompt_file(self, data: Data) -> PromptFile:
        """What was lifted as a prompt file. Raises BadResponse, naming the place, where it is none."""
        from pydantic import ValidationError

        from promptstore.model.prompt_file import PromptFile

        try:
            return PromptFile.model_validate(data)
        except ValidationError as problem:
            first = problem.errors(include_input=False, include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            message = f"{self.title}'s prompt does not fit a prompt file: {place}: {first['msg']}"
            raise BadResponse(message) from problem
