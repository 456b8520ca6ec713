"""Give a prompt file a new meaning, and keep everything in it that still says the same.

``tools: []`` or ``name: null`` mean what leaving them out means. A file that spells them out keeps them: the spelling
is one side of a three-way merge, the new meaning the other.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from promptstore.merge.rules import Maps, merge_keys
from promptstore.merge.schema import BODIES, PROMPT
from promptstore.merge.values import Choice, Json, same
from promptstore.model.prompt_file import PromptFile
from promptstore.model.reading import parse_prompt
from promptstore.model.yaml.editor import edit
from promptstore.model.yaml.nodes import plain
from promptstore.model.yaml.reader import read


def rewrite(text: str, data: Mapping[str, Json], path: str | None = None) -> str:
    """The prompt file ``text`` changed to mean ``data`` (``PromptFile.data()``); untouched bytes stay.

    Raises InvalidPrompt where ``text`` is not a valid prompt file or ``data`` cannot be written.
    """
    old = parse_prompt(text, path).data()
    return text if same(old, dict(data)) else edit(text, spelled(plain(read(text, path)), old, data))


def spelled(written: Mapping[str, Json], old: Mapping[str, Json], new: Mapping[str, Json]) -> Mapping[str, Json]:
    """``new`` in the spelling of ``written``, a file's plain data that means ``old``."""
    outcome = merge_keys(Maps(old, written, new), "", Choice(lambda _: "theirs"), {**PROMPT, **BODIES})
    kept = outcome.value
    return kept if isinstance(kept, dict) and _means(kept, new) else new


def _means(data: Mapping[str, Json], meaning: Mapping[str, Json]) -> bool:
    try:
        return same(PromptFile.model_validate(dict(data)).data(), dict(meaning))
    except ValidationError:
        return False
