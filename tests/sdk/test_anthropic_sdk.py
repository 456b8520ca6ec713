"""What ``Prompt.anthropic()`` gives is what Anthropic's own SDK takes as keywords."""

from __future__ import annotations

import inspect

import pytest

from promptstore.model.chat_apis.anthropic_messages import anthropic_arguments
from promptstore.model.prompt_file import PromptFile

anthropic = pytest.importorskip("anthropic")

pytestmark = pytest.mark.sdk

PARAMETERS = {
    "temperature": 0.2,
    "top_p": 0.9,
    "top_k": 5,
    "max_tokens": 50,
    "stop_sequences": ["END"],
    "metadata": {"user_id": "u"},
    "service_tier": "auto",
    "thinking": {"type": "disabled"},
    "extra_body": {"mine": 1},
}


def test_every_argument_is_a_keyword_of_the_sdk() -> None:
    prompt = PromptFile.model_validate(
        {
            "model": {"provider": "anthropic", "name": "claude-sonnet-4-5", "parameters": PARAMETERS},
            "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi {{ name }}"}],
            "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
            "tool_choice": "auto",
        }
    )
    arguments = anthropic_arguments(prompt, {"name": "Ann"})
    inspect.signature(anthropic.resources.messages.Messages.create).bind(None, **arguments)
    said = {**arguments, **arguments["extra_body"]}
    assert {key: said[key] for key in ("temperature", "top_p", "top_k", "mine")} == {
        "temperature": 0.2,
        "top_p": 0.9,
        "top_k": 5,
        "mine": 1,
    }
