"""The store: prompts by slug, version and tag, read from git without a network call."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType

from promptstore.errors import InvalidPrompt, NotFound, UsageError, Where
from promptstore.store.address import LATEST, Address, Located, prompt_not_found, slug_fault
from promptstore.store.cache import Cache
from promptstore.store.config import Config, find_root, load_config
from promptstore.store.contents import Contents, Facts, parse
from promptstore.store.git.checkout import Checkout
from promptstore.store.git.commits import Identity
from promptstore.store.git.plumbing import Git
from promptstore.store.git.refs import Signature, settled, signature
from promptstore.store.git.repository import Repository, require_repository
from promptstore.store.history import History, system_identity
from promptstore.store.layout import Layout
from promptstore.store.locator import Locator
from promptstore.store.prompt import Prompt
from promptstore.store.quick import PLACES, config_key
from promptstore.store.refnames import VERSIONS, branch_ref, tag_ref

Key = tuple[str, str | None, int | None, str | None]


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A prompt and the state of the files that decide whether it still is the answer."""

    prompt: Prompt
    watched: tuple[tuple[str, Signature], ...]

    def holds(self) -> bool:
        return all(signature(path) == state for path, state in self.watched)


class Store:
    """One prompt store in one checkout. Threads may share it, and it survives a fork.

    >>> store = Store.open(".")                                       # doctest: +SKIP
    >>> store.get("support/summarizer", tag="production").render(ticket="...")   # doctest: +SKIP
    """

    def __init__(
        self,
        root: str,
        config: Config,
        repository: Repository,
        *,
        ref: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        git: Git | None = None,
        cache: Cache | None = None,
    ) -> None:
        self.root = root
        self.config = config
        self.repository = repository
        self.clock = clock
        self.git = git or Git.of(repository)
        self.refs, self.objects, self.commits = self.git.refs, self.git.objects, self.git.commits
        self.cache = cache or Cache(os.path.join(repository.state_dir, "cache.db"))
        self.contents = Contents(self.objects, self.cache)
        self.layout = _layout(root, config, repository)
        revisions = self.git.revisions
        self.history = History(repository, self.layout, self.refs, self.objects, self.commits, revisions, self.cache)
        self._locator = Locator(revisions, config, self.layout, self.refs, self.objects, self.cache, self.history)
        self._ref = ref
        self._memory: dict[Key, _Remembered] = {}

    @classmethod
    def open(cls, path: str | os.PathLike[str] = ".", ref: str | None = None) -> Store:
        """Open the store at or above ``path``. ``ref`` reads another ref than the synced branch (``origin/main``).

        Raises StoreNotFound outside a store and ConfigError for a config that cannot be used.
        """
        root = find_root(os.fspath(path))
        return cls(root, load_config(root), require_repository(root), ref=ref)

    # --- the public reading API

    def get(
        self,
        slug: str,
        *,
        tag: str | None = None,
        version: int | None = None,
        rev: str | None = None,
        working: bool = False,
    ) -> Prompt:
        """The prompt ``slug``: its newest committed version, or the one that one of the keywords names.

        Sees a moved tag or a new commit at the very next call and never touches the network. Raises PromptNotFound,
        TagNotFound, VersionNotFound, RevisionNotFound or InvalidPrompt.
        """
        key = (slug, tag, version, rev)
        if not working:
            remembered = self._memory.get(key)
            if remembered is not None and remembered.holds():
                return remembered.prompt
        return self._get(slug, tag, version, rev, working)

    def tags(self, slug: str) -> dict[str, int | None]:
        """The deployment tags of a prompt: tag -> version (None for a text that never came to the branch)."""
        return {tag: place.version for tag, place in self.locator.tags(slug, self.tip).items()}

    def close(self) -> None:
        """End the helper process and the cache connection. The store opens them again when it is used."""
        self.objects.close()
        self.cache.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- where things stand

    @cached_property
    def branch(self) -> str:
        """The full name of the synced branch."""
        return branch_ref(self.config.branch)

    @property
    def tip_ref(self) -> str:
        """The ref whose commit is read: the synced branch, or what stands for it where it does not exist here."""
        return self._tip_refs()[-1]

    def _tip_refs(self) -> list[str]:
        """The refs that decide which one is read: those looked for in vain, and last the one that is."""
        if self._ref is not None:
            return self._readable_ref(self._ref)
        tracking = f"refs/remotes/{self.config.git.remote or 'origin'}/{self.config.branch}"
        found = self._first_of([self.branch, tracking])
        return found or [self.branch, tracking, "HEAD"][: 3 if self.refs.head_branch() is None else 1]

    @property
    def tip(self) -> str | None:
        """The commit that is read; None in a repository without one."""
        return self.refs.read(self.tip_ref)

    def full_ref(self, name: str) -> str:
        """The full name of a ref that is there, as git would find it. Raises NotFound."""
        return self._readable_ref(name)[-1]

    def _readable_ref(self, name: str) -> list[str]:
        if ".." in name:
            raise NotFound(f"'{name}' is no ref", hint="`git branch -a` lists what there is")
        whole = [name] if name == "HEAD" or name.startswith("refs/") else []
        found = self._first_of([*whole, *(f"refs/{folder}{name}" for folder in ("", "tags/", "heads/", "remotes/"))])
        if found:
            return found
        raise NotFound(f"there is no ref '{name}'", hint="`git branch -a` lists what there is")

    def _first_of(self, names: list[str]) -> list[str]:
        """The names up to the first that is a ref; none where none is."""
        place = next((place for place, name in enumerate(names) if self.refs.read(name) is not None), -1)
        return names[: place + 1]

    @property
    def locator(self) -> Locator:
        """Addresses as they stand now."""
        return self._locator

    def prompts_at(self, commit: str | None) -> dict[str, str]:
        """The prompts of a commit: slug -> blob id."""
        return self._locator.prompts_at(commit)

    def locate(self, address: Address) -> Located:
        """What an address means in git. ``@working`` is not in git: see `working_text`."""
        return self._locator.locate(address, self.tip)

    # --- reading

    def text(self, located: Located) -> bytes:
        """The prompt file's bytes. Raises InvalidPrompt for a broken one."""
        self.cache.put(PLACES, config_key(self.root), f"{self.layout.folder}\n{self.branch}".encode())
        return self.contents.text(located.blob, self._shown(located))

    def facts(self, located: Located) -> Facts:
        return self.contents.facts(located.blob, self._shown(located))

    def working_text(self, slug: str) -> bytes:
        """The bytes of the work-tree file. Raises PromptNotFound."""
        try:
            with open(self.layout.file(slug), "rb") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise prompt_not_found(slug, self.prompts_at(self.tip), "in the work tree") from None

    def working_facts(self, slug: str) -> Facts:
        return parse(self.working_text(slug), self.layout.path(slug))

    def _shown(self, located: Located) -> str:
        path = self.layout.path(located.slug)
        return path if located.version is None else f"{path}@{located.version}"

    def _get(self, slug: str, tag: str | None, version: int | None, rev: str | None, working: bool) -> Prompt:
        asked = sum(value is not None for value in (tag, version, rev)) + working
        if asked > 1:
            raise UsageError("give one of tag, version, rev and working", hint="each names a version on its own")
        if slug_fault(slug):
            raise prompt_not_found(slug, self.prompts_at(self.tip), f"on {self.config.branch}")
        return self._working(slug) if working else self._remember(slug, tag, version, rev)

    def _working(self, slug: str) -> Prompt:
        from promptstore.model.digest import prompt_digest
        from promptstore.model.reading import parse_prompt

        file = parse_prompt(self.working_text(slug), self.layout.path(slug))
        return Prompt(slug, None, None, prompt_digest(file), file)

    def _remember(self, slug: str, tag: str | None, version: int | None, rev: str | None) -> Prompt:
        now = time.time_ns()
        watched, branch = self._watched(tag, slug), self._watched_branch()
        located = self._located(slug, tag, version, rev)
        if tag is None or located.version is None or self.refs.read(tag_ref(slug, tag)) is None:
            watched |= branch  # a tag that is there, of a numbered version, does not hang on the branch
        facts = self.facts(located)
        prompt = Prompt(
            slug,
            located.version,
            located.commit,
            facts.digest,
            self.contents.prompt(located.blob, self._shown(located)),
        )
        lasting = rev is None or _is_full_id(rev)
        if lasting and all(settled(state, now) for state in watched.values()):
            if len(self._memory) > 20_000:
                self._memory.clear()
            self._memory[(slug, tag, version, rev)] = _Remembered(prompt, tuple(watched.items()))
        return prompt

    def _located(self, slug: str, tag: str | None, version: int | None, rev: str | None) -> Located:
        if tag is not None:
            return self._locator.at_tag(slug, tag, self.tip)
        if version is not None:
            return self._locator.numbered(slug, version, self.tip)
        return self._locator.locate(Address(slug, rev or LATEST), self.tip)

    def _watched(self, tag: str | None, slug: str) -> dict[str, Signature]:
        """The files that decide an answer, with their states from before it was looked up."""
        states = self.refs.watched(tag_ref(slug, tag)) if tag is not None else {}
        return states | self.refs.watched(VERSIONS)

    def _watched_branch(self) -> dict[str, Signature]:
        """The same for the branch that is read."""
        return {path: state for name in self._tip_refs() for path, state in self.refs.watched(name).items()}

    # --- what writing needs

    @property
    def checkout(self) -> Checkout:
        """Moves the synced branch, and what is checked out of it."""
        return self.git.checkout

    def user(self) -> Identity:
        """Who is at the keyboard, by git's config; the store itself where git knows nobody."""
        name, email = self.git.revisions.author()
        return Identity(name, email, self.clock()) if name and email else system_identity(self.clock())

    def all_facts(self, commit: str | None) -> tuple[Mapping[str, Facts], Mapping[str, InvalidPrompt]]:
        """Facts of every prompt of a commit by slug, and the errors of the broken ones."""
        slugs = {self.layout.path(slug): slug for slug in self.prompts_at(commit)}
        found, broken = self.contents.facts_of({self.layout.path(s): b for s, b in self.prompts_at(commit).items()})
        return (
            {slugs[path]: facts for path, facts in found.items()},
            {slugs[path]: error for path, error in broken.items()},
        )


def _layout(root: str, config: Config, repository: Repository) -> Layout:
    top = repository.worktree
    inside = os.path.relpath(os.path.realpath(root), os.path.realpath(top)) if top else "."
    if inside.startswith(".."):
        raise UsageError(f"{root} lies outside its repository {top}", where=Where(path=root))
    folder = config.prompts if inside == "." else f"{inside.replace(os.sep, '/')}/{config.prompts}"
    return Layout(folder, os.path.join(root, *config.prompts.split("/")))


def _is_full_id(rev: str) -> bool:
    return len(rev) in {40, 64} and all(char in "0123456789abcdef" for char in rev)
