"""The parameters that Phoenix types, by family of providers, and how its server reads their values.

From Phoenix's OpenAPI (``Prompt…InvocationParametersContent``): unknown parameters are refused, whole numbers become
fractions where a fraction is expected and the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from promptstore.vendors.values import Wire

_LIMIT = 1 << 63


class Kind(Protocol):
    """One kind of value."""

    def fits(self, value: Any) -> bool: ...

    def normal(self, value: Any) -> Any: ...


class _Fraction:
    def fits(self, value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LIMIT

    def normal(self, value: Any) -> Any:
        return float(value)


class _Whole:
    def fits(self, value: Any) -> bool:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return whole and not isinstance(value, bool) and -_LIMIT <= value < _LIMIT

    def normal(self, value: Any) -> Any:
        return int(value)


class _Texts:
    """A list of texts; a single text counts as a list of one, as in OpenAI's API."""

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))

    def normal(self, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class _Flag:
    def fits(self, value: Any) -> bool:
        return isinstance(value, bool)

    def normal(self, value: Any) -> Any:
        return value


class _Map:
    def fits(self, value: Any) -> bool:
        return isinstance(value, Mapping)

    def normal(self, value: Any) -> Any:
        return value


@dataclass(frozen=True, slots=True)
class _OneOf:
    words: frozenset[str]

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.words

    def normal(self, value: Any) -> Any:
        return value


@dataclass(frozen=True, slots=True)
class _Closed:
    """An object of known keys only."""

    fields: Mapping[str, Kind]
    required: frozenset[str] = frozenset()

    def fits(self, value: Any) -> bool:
        return (
            isinstance(value, Mapping)
            and self.required <= set(value)
            and all(key in self.fields and self.fields[key].fits(item) for key, item in value.items())
        )

    def normal(self, value: Any) -> Any:
        return {key: self.fields[key].normal(item) for key, item in value.items()}


class _Thinking:
    """Anthropic's thinking, told apart by ``type``."""

    def _of(self, value: Any) -> Kind | None:
        return _THINKING.get(value.get("type")) if isinstance(value, Mapping) else None

    def fits(self, value: Any) -> bool:
        kind = self._of(value)
        return kind is not None and kind.fits(value)

    def normal(self, value: Any) -> Any:
        kind = self._of(value)
        return value if kind is None else kind.normal(value)


FRACTION, WHOLE, TEXTS, FLAG, MAP = _Fraction(), _Whole(), _Texts(), _Flag(), _Map()
_DISPLAY = _OneOf(frozenset({"summarized", "omitted"}))


class _Budget(_Whole):
    def fits(self, value: Any) -> bool:
        return super().fits(value) and value >= 1024


def _just(word: str) -> Kind:
    return _OneOf(frozenset({word}))


_THINKING: Mapping[Any, Kind] = {
    "disabled": _Closed({"type": _just("disabled")}),
    "adaptive": _Closed({"type": _just("adaptive"), "display": _DISPLAY}),
    "enabled": _Closed(
        {"type": _just("enabled"), "budget_tokens": _Budget(), "display": _DISPLAY}, frozenset({"budget_tokens"})
    ),
}


@dataclass(frozen=True, slots=True)
class Family:
    """Providers whose parameters have the same names. ``name`` is the ``type`` of their parameters."""

    name: str
    fields: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    extra: bool = False
    """Has it ``extra_body``, which Phoenix puts into the request to the model beside what it types."""

    def normal(self, content: Mapping[str, Any]) -> Wire:
        """The parameters as the server gives them back."""
        return {key: self._normal(key, value) for key, value in content.items() if value is not None}

    def _normal(self, key: str, value: Any) -> Any:
        return self.fields[key].normal(value) if self.takes(key, value) else value

    def takes(self, key: str, value: Any) -> bool:
        return key in self.fields and self.fields[key].fits(value)


OPENAI = Family(
    "openai",
    {
        "temperature": FRACTION,
        "max_tokens": WHOLE,
        "max_completion_tokens": WHOLE,
        "frequency_penalty": FRACTION,
        "presence_penalty": FRACTION,
        "top_p": FRACTION,
        "seed": WHOLE,
        "stop": TEXTS,
        "reasoning_effort": _OneOf(frozenset({"none", "minimal", "low", "medium", "high", "xhigh"})),
    },
    extra=True,
)
ANTHROPIC = Family(
    "anthropic",
    {
        "max_tokens": WHOLE,
        "temperature": FRACTION,
        "top_p": FRACTION,
        "stop_sequences": TEXTS,
        "output_config": _Closed({"effort": _OneOf(frozenset({"low", "medium", "high", "xhigh", "max"}))}),
        "thinking": _Thinking(),
    },
    required=("max_tokens",),
    extra=True,
)
GOOGLE = Family(
    "google",
    {
        "temperature": FRACTION,
        "max_output_tokens": WHOLE,
        "stop_sequences": TEXTS,
        "presence_penalty": FRACTION,
        "frequency_penalty": FRACTION,
        "top_p": FRACTION,
        "top_k": WHOLE,
        "thinking_config": _Closed(
            {
                "thinking_budget": WHOLE,
                "thinking_level": _OneOf(frozenset({"minimal", "low", "medium", "high"})),
                "include_thoughts": FLAG,
            }
        ),
    },
)
AWS = Family("aws", {"max_tokens": WHOLE, "temperature": FRACTION, "top_p": FRACTION, "stop_sequences": TEXTS})

FAMILIES: Mapping[str, Family] = {family.name: family for family in (OPENAI, ANTHROPIC, GOOGLE, AWS)}

OPENAI_ALIASES = frozenset(
    {
        "azure_openai",
        "deepseek",
        "xai",
        "ollama",
        "cerebras",
        "fireworks",
        "groq",
        "moonshot",
        "perplexity",
        "together",
        "zai",
        "meta",
    }
)
"""Types of parameters that the server reads as ``openai``."""

PROVIDERS: Mapping[str, Family] = {
    "ANTHROPIC": ANTHROPIC,
    "GOOGLE": GOOGLE,
    "AWS": AWS,
    **dict.fromkeys(("OPENAI", "MINIMAX", *(alias.upper() for alias in sorted(OPENAI_ALIASES))), OPENAI),
}
"""Phoenix's providers, and the family of each."""
