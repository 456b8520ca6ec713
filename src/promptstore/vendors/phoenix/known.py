"""What the last look at a server told, so that nothing is asked twice in one run. Threads may share it.

A version never changes; still each is given from here only once, since a later read of it may be a decision.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from promptstore.errors import RemoteMissing
from promptstore.vendors.phoenix import wire
from promptstore.vendors.phoenix.calls import Calls
from promptstore.vendors.phoenix.names import version_order
from promptstore.vendors.values import Wire


class Known:
    """Prompts, their newest versions and their tags, as last looked at."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._lock = threading.Lock()
        self._listed: tuple[str, ...] | None = None
        self._seen: dict[str, wire.Prompt] = {}
        self._glances: dict[str, wire.Glance] = {}
        self._versions: dict[str, Wire] = {}
        self._newest: dict[str, wire.Page] = {}
        self._born: dict[str, wire.Born] = {}
        self._tags = False

    def look(self) -> list[wire.Prompt]:
        """Every prompt, now. What GraphQL tells beside may be of a moment before or after."""
        prompts = self._calls.prompts()
        glances = self._calls.glances() if prompts else {}
        with self._lock:
            self._listed = tuple(prompt.name for prompt in prompts)
            self._seen = {prompt.name: prompt for prompt in prompts}
            self._glances, self._versions, self._newest = glances, {}, {}
            self._tags = all(prompt.name in glances for prompt in prompts)
            self._born.update({glance.version: glance.born for glance in glances.values()})
        return prompts

    def newest(self, name: str) -> str | None:
        """The newest version as last looked at; None where there is none (any more)."""
        glance = self._glances.get(name)
        if glance is not None:
            return glance.version
        try:
            found = self.latest(name)
        except RemoteMissing:
            return None
        version = wire.version_id(found)
        self.keep(version, found)
        return version

    def latest(self, name: str) -> Wire:
        """The newest version, asked now. Raises RemoteMissing."""
        page = self._calls.newest(name)
        with self._lock:
            self._newest[name] = page
        return page.items[0]

    def versions(self, name: str, after: int, head: int) -> Iterator[Wire]:
        """The versions, newest first, with all those after one number up to another among them.

        What the last look at the newest ones told is enough where nothing else can lie between.
        """
        with self._lock:
            page = self._newest.pop(name, None)
        numbers = [version_order(wire.version_id(item)) for item in page.items] if page else []
        if page and numbers[0] >= head and (page.cursor is None or numbers[-1] <= after):
            return iter(page.items)
        return self._calls.versions(name)

    def keep(self, version: str, item: Wire) -> None:
        """Remember a version for the next read of it."""
        with self._lock:
            self._versions[version] = item

    def version(self, name: str, version: str) -> Wire:
        """A version of that prompt. Raises RemoteMissing."""
        with self._lock:
            kept = self._versions.pop(version, None)
        return kept if kept is not None else self._calls.version(name, version)

    def names(self) -> list[str]:
        """The names of the last listing."""
        with self._lock:
            listed = self._listed
        return list(listed) if listed is not None else [prompt.name for prompt in self.look()]

    def last(self, name: str) -> wire.Prompt | None:
        """The prompt as the last listing showed it, or as we left it."""
        with self._lock:
            return self._seen.get(name)

    def remember(self, prompt: wire.Prompt) -> None:
        """The prompt as we left it."""
        with self._lock:
            self._seen[prompt.name] = prompt

    def prompt(self, name: str, *, fresh: bool) -> wire.Prompt | None:
        """The prompt, as it is now where it must be ``fresh``; None where there is none of that name."""
        seen = self.last(name)
        if seen is not None and not fresh:
            return seen
        found = self._calls.prompt(seen.number) if seen is not None else None
        if found is None or found.name != name:
            found = self._calls.prompt_named(name)
        if found is not None and seen is None:
            self.remember(found)
        return found

    def born(self, version: str) -> wire.Born:
        """When a version was made, and by whom."""
        with self._lock:
            known = self._born.get(version)
        if known is None:
            known = self._calls.born(version)
            with self._lock:
                self._born[version] = known
        return known

    def all_tags(self) -> dict[str, dict[str, str]] | None:
        """Name -> tag -> version, if the last look told of all of them and none was moved since."""
        with self._lock:
            return {name: dict(self._glances[name].tags) for name in self._listed or ()} if self._tags else None

    def forget_tags(self) -> None:
        """A tag is about to be moved."""
        with self._lock:
            self._tags = False
