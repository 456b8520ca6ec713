"""A prompt as the keyword arguments of the two common chat SDKs: dicts only, the SDKs need not be installed."""

from promptstore.model.chat_apis.anthropic_messages import DEFAULT_MAX_TOKENS, anthropic_arguments
from promptstore.model.chat_apis.openai_chat import openai_arguments

__all__ = ["DEFAULT_MAX_TOKENS", "anthropic_arguments", "openai_arguments"]
