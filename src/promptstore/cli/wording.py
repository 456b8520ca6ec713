"""How values and numbers are said in one line."""

from __future__ import annotations

import json
from typing import Any


def shown_value(value: Any, longest: int) -> str:
    """A field's value in one line of at most so many characters (and an ellipsis)."""
    if value is None:
        return "(absent)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = text.replace("\n", "⏎")
    return line if len(line) <= longest else line[:longest] + "…"


def counted(number: int, word: str) -> str:
    """``1 prompt``, ``2 prompts``."""
    return f"{number} {word}{'' if number == 1 else 's'}"
