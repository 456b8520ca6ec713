"""Braintrust tells a model by its name alone; other vendors want to know whose it is."""

from __future__ import annotations

_FAMILIES = (
    ("openai", ("gpt-", "chatgpt-", "o1", "o3", "o4-")),
    ("anthropic", ("claude-",)),
    ("google", ("gemini-",)),
)


def provider_of(model: str) -> str | None:
    """The provider that a model's name gives away; None where it could be anybody's."""
    return next((provider for provider, heads in _FAMILIES if model.startswith(heads)), None)


def provider_after(model: str, old_model: str | None, old: str | None, *, known: bool) -> str | None:
    """The provider for a model that came from Braintrust.

    ``known``: there is an old prompt, whose word counts until the model goes to another family.
    """
    given_away = provider_of(model)
    if not known:
        return given_away
    before = provider_of(old_model) if old_model else None
    moved = given_away is not None and before is not None and given_away != before
    return given_away if moved and old is not None else old if old_model else old or given_away
