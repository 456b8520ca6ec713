"""Which prompt files a command is about: those named on the command line, or all of the work tree's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from promptstore.cli.app import App
from promptstore.errors import PromptNotFound, Where
from promptstore.model.slug import SUFFIX
from promptstore.store.address import slug_fault
from promptstore.store.store import Store


@dataclass(frozen=True, slots=True)
class PromptPath:
    """A file below the prompts folder. ``slug`` is None where its name is no slug; ``problem`` says why."""

    path: str
    """As shown: relative to the store's root."""
    file: str
    slug: str | None
    problem: str | None = None
    hint: str = ""


def prompt_paths(app: App, store: Store, names: Sequence[str]) -> list[PromptPath]:
    """The prompt files meant by ``names`` (paths, folders or slugs); all of them without names."""
    everything = list(_all(store))
    if not names:
        return everything
    return [found for name in names for found in _named(app, store, everything, name)]


def _named(app: App, store: Store, everything: list[PromptPath], name: str) -> list[PromptPath]:
    given = _real(app.path(name))
    found = [path for path in everything if _within(_real(path.file), given)]
    found = found or [path for path in everything if path.slug == name]
    if not found:
        raise PromptNotFound(
            "there is no such prompt file",
            where=Where(path=name),
            hint=f"prompt files lie below {store.config.prompts}/",
        )
    return found


def _real(path: str) -> str:
    """The path with the links of its folders followed, but not its own: a link is not what it leads to."""
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)


def _within(file: str, given: str) -> bool:
    return file == given or file.startswith(given.rstrip(os.sep) + os.sep)


def _all(store: Store) -> Iterator[PromptPath]:
    folded: dict[str, str] = {}
    for relative in store.layout.files():
        path = f"{store.config.prompts}/{relative}"
        file = os.path.join(store.layout.directory, relative)
        yield _judge(path, file, relative, folded)


def _judge(path: str, file: str, relative: str, folded: dict[str, str]) -> PromptPath:
    stem, extension = os.path.splitext(relative)
    if extension != SUFFIX:
        hint = (
            f"rename it to {stem}{SUFFIX}" if extension == ".yml" else f"prompts end in {SUFFIX}; move other files away"
        )
        return PromptPath(path, file, None, f"not a prompt: its name does not end in {SUFFIX}", hint)
    twin = folded.setdefault(stem.lower(), path)
    if twin != path:
        return PromptPath(path, file, None, f"differs from {twin} only by case", "rename one of the two")
    if os.path.islink(file):
        return PromptPath(path, file, None, "a prompt cannot be a symbolic link", "put the file itself there")
    problem = slug_fault(stem)
    if problem:
        return PromptPath(path, file, None, problem, f"rename the file, for example to {_better(stem)}{SUFFIX}")
    return PromptPath(path, file, stem)


def _better(stem: str) -> str:
    from promptstore.model.slug import slugify

    return slugify(stem)
