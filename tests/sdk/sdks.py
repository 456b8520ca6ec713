"""The vendors' own SDKs, each behind the same few questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pytest


class Sdk(Protocol):
    """What an application asks of its vendor. ``key`` is the name that the vendor's lens gives the prompt."""

    def text(self, key: str, *, version: str | None = None, tag: str | None = None) -> str:
        """The text of the prompt's one message, as it is before rendering."""


class Listing(Protocol):
    def names(self) -> set[str]: ...


class Publishing(Protocol):
    def publish(self, key: str, text: str) -> None:
        """A version of a prompt of one message, new or not."""


class Tagging(Protocol):
    def tag(self, key: str, tag: str, version: str) -> None: ...


@dataclass(frozen=True)
class Package:
    """One SDK. ``open`` takes the base URL and the key; ``missing`` matches what it says of what is not there."""

    vendor: str
    name: str
    open: Callable[[str, str], Any]
    missing: str
    unauthorized: str


class PromptLayer:
    def __init__(self, url: str, key: str) -> None:
        promptlayer = pytest.importorskip("promptlayer")
        self._templates = promptlayer.PromptLayer(api_key=key, base_url=url).templates

    def text(self, key: str, *, version: str | None = None, tag: str | None = None) -> str:
        asked = {**({"version": int(version)} if version else {}), **({"label": tag} if tag else {})}
        text: str = self._templates.get(key, asked)["prompt_template"]["messages"][0]["content"][0]["text"]
        return text

    def names(self) -> set[str]:
        return {item["prompt_name"] for item in self._templates.all(per_page=100)}

    def publish(self, key: str, text: str) -> None:
        block = {"role": "user", "content": [{"type": "text", "text": text}], "template_format": "jinja2"}
        self._templates.publish({"prompt_name": key, "prompt_template": {"type": "chat", "messages": [block]}})


class Braintrust:
    """Its SDK only loads prompts."""

    def __init__(self, url: str, key: str) -> None:
        self._sdk = pytest.importorskip("braintrust")
        self._at = {"project": "any", "app_url": url, "api_key": key, "defaults": {"model": "gpt-4o"}}

    def text(self, key: str, *, version: str | None = None, tag: str | None = None) -> str:
        which = {**({"version": version} if version else {}), **({"environment": tag} if tag else {})}
        text: str = self._sdk.load_prompt(slug=key, **which, **self._at).build()["messages"][0]["content"]
        return text


class BraintrustApi:
    """The client that is made from its OpenAPI; it reads here, and knows no environments."""

    def __init__(self, url: str, key: str) -> None:
        api = pytest.importorskip("braintrust_api")
        self._prompts = api.Braintrust(api_key=key, base_url=url, max_retries=0).prompts

    def text(self, key: str, *, version: str | None = None, tag: str | None = None) -> str:
        if tag is not None:
            pytest.skip("it knows no environments")
        found = list(self._prompts.list(project_name="any", slug=key, **({"version": version} if version else {})))
        again = found[0] if version else self._prompts.retrieve(found[0].id)
        text: str = again.prompt_data.prompt.messages[0].content
        return text

    def names(self) -> set[str]:
        return {prompt.slug for prompt in self._prompts.list(project_name="any")}


class Basalt:
    def __init__(self, url: str, key: str) -> None:
        basalt = pytest.importorskip("basalt")
        self._prompts = basalt.Basalt(api_key=key, base_url=url, enable_telemetry=False).prompts

    def text(self, key: str, *, version: str | None = None, tag: str | None = None) -> str:
        which = {"version": version} if version else {"tag": tag or "latest"}
        text: str = self._prompts.get_sync(key, cache_enabled=False, **which).text
        return text

    def names(self) -> set[str]:
        return {prompt.slug for prompt in self._prompts.list_sync()}

    def tag(self, key: str, tag: str, version: str) -> None:
        assert self._prompts.publish_sync(key, new_tag=tag, version=version).label == tag


SDKS = (
    Package("promptlayer", "promptlayer", PromptLayer, "not found", "Invalid API key"),
    Package("braintrust", "braintrust", Braintrust, "not found", "Invalid|401|Unauthorized"),
    Package(
        "braintrust", "braintrust-api", BraintrustApi, "list index out of range|400|404", "Invalid|401|Unauthorized"
    ),
    Package("basalt", "basalt-sdk", Basalt, "No prompt found", "Invalid|401|Unauthorized"),
)
