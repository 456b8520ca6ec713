"""Model providers: the prompt file's free word for one, and Phoenix's closed list."""

from __future__ import annotations

from collections.abc import Mapping

from promptstore.errors import NotRepresentable
from promptstore.vendors.phoenix.lens.families import PROVIDERS
from promptstore.vendors.values import Data

DEFAULT = "OPENAI"
"""Phoenix's provider of a prompt that names no model: its server demands one."""

_SYNONYMS: Mapping[str, str] = {
    "azure": "AZURE_OPENAI",
    "openai_azure": "AZURE_OPENAI",
    "amazon_bedrock": "AWS",
    "bedrock": "AWS",
    "anthropic_bedrock": "AWS",
    "gemini": "GOOGLE",
    "vertexai": "GOOGLE",
    "google_genai": "GOOGLE",
    "x_ai": "XAI",
    "fireworks_ai": "FIREWORKS",
    "together_ai": "TOGETHER",
    "togetherai": "TOGETHER",
}
_HEADS = (
    ("OPENAI", ("gpt-", "chatgpt-", "o1", "o3", "o4-")),
    ("ANTHROPIC", ("claude-",)),
    ("GOOGLE", ("gemini-",)),
)


def provider_in(model: Data) -> str:
    """Phoenix's provider of a file's ``model``. Raises NotRepresentable for one that Phoenix does not have."""
    provider, name = model.get("provider"), model.get("name") or ""
    found = _known(provider) if provider else _given_away(name)
    if found is None:
        told = f"no provider {provider!r}" if provider else f"to know the provider of {name!r}"
        message = f"Phoenix has {told}" if provider else f"Phoenix wants {told}"
        words = ", ".join(word_of(provider) for provider in sorted(PROVIDERS))
        raise NotRepresentable(message, field="model.provider", hint=f"use one of {words}")
    return found


def _known(word: str) -> str | None:
    plain = word.lower().replace("-", "_").replace(".", "_")
    found = _SYNONYMS.get(plain, plain.upper())
    return found if found in PROVIDERS else None


def _given_away(name: str) -> str | None:
    return next((provider for provider, heads in _HEADS if name.startswith(heads)), None) if name else DEFAULT


def word_of(provider: str) -> str:
    """The prompt file's word for one of Phoenix's providers."""
    return provider.lower()


def lift_provider(provider: str, name: str, old: Data) -> str | None:
    """The file's word for a provider: the old one where it means the same, none where the name gives it away alone."""
    before = old.get("provider")
    if before and _known(before) == provider:
        return str(before)
    return None if old.get("name") and not before and _given_away(name) == provider else word_of(provider)
