"""A store, its vendor over real HTTP, people who edit on both sides, and an oracle that knows nothing of the planner.

Every edit puts a word of its own into one paragraph. A word may leave a text only by the hand of somebody who had it
before the eyes (*superseded with sight*); the engine alone may drop none.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx
from forked_engine import Ended, Engines
from proxy import FaultyProxy
from repos import chat, git, make_store

from promptstore.serve.server import Running, embedded
from promptstore.store.store import Store

KEY = "k"
SLUGS = ("a", "b", "c/d")
TAGS = ("production", "staging")
WORD = re.compile(r"w\d+")
PARAGRAPH = re.compile(r"\d+ w\d+")
SETTLED = 100.0  # seconds, more than the settle window


def words(text: str) -> set[str]:
    return set(WORD.findall(text))


def paragraphs(text: str) -> list[str]:
    return PARAGRAPH.findall(text)


@dataclass
class World:
    """One clone and its vendor, with everything that was done."""

    where: Path
    vendor: Store
    server: Running
    proxy: FaultyProxy
    engines: Engines
    page: httpx.Client
    dice: random.Random
    later: float = 0.0
    born: set[str] = field(default_factory=set)
    superseded: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    """Prompts that somebody told to say again what they said before."""

    # --- people

    def word(self) -> str:
        made = f"w{len(self.born) + 1}"
        self.born.add(made)
        return made

    def changed(self, old: list[str]) -> str:
        """The text with one paragraph written anew, by somebody who sees it."""
        if not old:
            return "\n\n".join(f"{place} {self.word()}" for place in range(4))
        place = self.dice.randrange(len(old))
        self.superseded |= words(old[place])
        return "\n\n".join([*old[:place], f"{place} {self.word()}", *old[place + 1 :]])

    def edit_here(self, slug: str | None = None) -> None:
        """Somebody edits and commits, unless git says that something is going on."""
        slug = slug or self.dice.choice(SLUGS)
        if (self.where / ".git/index.lock").exists():
            return
        file = self.where / "prompts" / f"{slug}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(chat(self.changed(paragraphs(file.read_text()) if file.exists() else [])))
        git(self.where, "add", f"prompts/{slug}.yaml")
        git(self.where, "commit", "-q", "-m", f"Edit {slug} here")
        self.log.append(f"here {slug}")

    def edit_there(self, slug: str | None = None) -> None:
        """Somebody saves a version in the vendor's page."""
        slug = slug or self.dice.choice(SLUGS)
        self.page_saves(slug, self.changed(paragraphs(self.there().get(slug, ""))))

    def page_edit(self, slug: str, place: int) -> None:
        """The same, in one certain paragraph."""
        text = paragraphs(self.there()[slug])
        self.superseded |= words(text[place])
        text[place] = f"{place} {self.word()}"
        self.page_saves(slug, "\n\n".join(text))

    def page_saves(self, slug: str, text: str) -> None:
        message = {"role": "system", "content": [{"type": "text", "text": text}], "template_format": "jinja2"}
        template = {"type": "chat", "messages": [message]}
        body = {"prompt_template": {"prompt_name": slug}, "prompt_version": {"prompt_template": template}}
        self.post("/rest/prompt-templates", body)
        self.log.append(f"there {slug}")

    def post(self, path: str, body: object) -> None:
        answer = self.page.post(path, json=body)
        assert answer.status_code < 300, answer.text

    def tag_here(self) -> None:
        slug, tag = self.dice.choice(SLUGS), self.dice.choice(TAGS)
        self.engines.run("-C", str(self.where), "tag", slug, tag)
        self.log.append(f"tag {slug} {tag}")

    # --- what there is

    def here(self) -> dict[str, str]:
        """The committed texts."""
        with Store.open(self.where) as store:
            return texts(store)

    def there(self) -> dict[str, str]:
        return texts(self.vendor)

    def versions_there(self) -> dict[str, list[str]]:
        """Every version's text at the vendor, oldest first."""
        vendor = self.vendor
        numbering = vendor.history.numbering(vendor.tip)
        return {
            slug: [vendor.objects.blob(version.blob).decode() for version in numbering.of(slug)]
            for slug in vendor.prompts_at(vendor.tip)
        }

    # --- the engine

    def sync(self, *more: str) -> Ended:
        return self.engines.run("-C", str(self.where), "sync", "--json", *more, later=self.later)

    def until_quiet(self, limit: int = 12) -> Ended:
        """Run until a run has nothing to do, and resolve what it left; then nothing may move any more."""
        for _ in range(limit):
            refs, sent = git(self.where, "for-each-ref"), len(self.proxy.writes())
            ended = self.sync()
            assert ended.code in {0, 3, 75}, (ended, self.log)
            found = ended.document
            asked = [*found["conflicts"], *(held for held in found["held"] if "resolve" in held["hint"])]
            if asked:
                self.resolve(asked)
            elif found["errors"]:
                self.later += SETTLED
            elif git(self.where, "for-each-ref") == refs and len(self.proxy.writes()) == sent:
                held = [what for what in found["held"] if not what["reason"].startswith("tag ")]
                assert (found["actions"], held, found["halted"]) == ([], [], []), self.log
                return ended
        raise AssertionError(f"never quiet: {ended} {self.log}")

    def resolve(self, conflicts: list[dict[str, object]]) -> None:
        """Somebody looks at the conflicts, and at what is held (after a reset), and takes one side."""
        side = self.dice.choice(["--ours", "--theirs"])
        shown = set().union(*(words(f"{c.get('ours')} {c.get('theirs')}") for c in conflicts))
        here, there = self.here(), self.there()
        for slug in {str(c["slug"]) for c in conflicts if "hint" in c}:
            shown |= words(here.get(slug, "")) | words(there.get(slug, ""))
        before = shown | set().union(*map(words, here.values()), set())
        slugs = sorted({str(c["slug"]) for c in conflicts})
        ended = self.engines.run("-C", str(self.where), "resolve", *slugs, side, later=self.later)
        assert ended.code == 0, ended
        self.superseded |= (before & shown) - set().union(*map(words, self.here().values()), set())
        self.restored += [str(c["slug"]) for c in conflicts] if side == "--ours" else []
        self.log.append(f"resolve {side} {slugs}: {conflicts} -> {self.here()}")

    # --- the oracle

    def check(self) -> None:
        """To be called when all is quiet and nothing is in conflict."""
        here, there = self.here(), self.there()
        assert {slug: paragraphs(text) for slug, text in here.items()} == {
            slug: paragraphs(text) for slug, text in there.items()
        }
        standing = set().union(*map(words, here.values()), set())
        assert self.born - self.superseded <= standing, f"lost: {self.born - self.superseded - standing} {self.log}"
        for slug, versions in self.versions_there().items():
            said = ["\n".join(paragraphs(text)) for text in versions]
            again = len(said) - len(set(said))
            assert again <= self.restored.count(slug), f"{slug} was published twice: {said} {self.log}"
            assert all(one != other for one, other in pairwise(said)), f"{slug} was published twice: {said} {self.log}"
        self.check_repository()

    def check_repository(self) -> None:
        git(self.where, "fsck", "--no-dangling", "--no-progress")
        assert git(self.where, "status", "--porcelain") == ""
        assert leftovers(self.where) == []


def texts(store: Store) -> dict[str, str]:
    found = store.prompts_at(store.refs.read(store.branch))
    return {slug: store.objects.blob(blob).decode() for slug, blob in found.items()}


def leftovers(where: Path) -> list[str]:
    """Locks and scratch files that nobody needs any more."""
    found = [path for path in where.rglob("*") if re.search(r"\.lock$|promptstore-|\.promptstore$|scratch", path.name)]
    notes = {where / ".git/promptstore-checkout.json"}
    return sorted(str(path.relative_to(where)) for path in found if path not in notes or path.stat().st_size)


def stale_locks(where: Path) -> list[Path]:
    """git's own locks that a killed git left."""
    return [path for path in (where / ".git").rglob("*.lock") if path.name != "lock"]


def power_back(where: Path) -> None:
    """After a power failure, when everything of before is long dead: what `doctor --fix` has to find."""
    for path in stale_locks(where):
        os.utime(path, (time.time() - 3600, time.time() - 3600))


@contextmanager
def world(folder: Path, seed: int) -> Iterator[World]:
    """A fresh world; its vendor is this package's twin of PromptLayer behind a proxy."""
    vendor = make_store(folder / "vendor", '[store]\nbranch = "main"\n')
    git(folder / "vendor", "add", "-A")
    git(folder / "vendor", "commit", "-q", "-m", "Empty")
    git(folder / "vendor", "checkout", "-q", "--detach")
    with embedded(vendor, key=KEY) as server, FaultyProxy(server.url) as proxy:
        where = folder / "here"
        config = (
            f'[store]\nbranch = "main"\n\n[remotes.acme]\nvendor = "promptlayer"\nbase_url = "{proxy.url}"\n'
            'api_key_env = "ACME_KEY"\n\n[sync]\nmax_delete = "100%"\n'
        )
        make_store(where, config, {}).close()
        git(where, "config", "gc.auto", "0")
        state = folder / "runs"
        state.mkdir()
        page = httpx.Client(base_url=server.url, headers={"X-API-KEY": KEY}, verify=False)
        with page, Engines(state, {"ACME_KEY": KEY, "PROMPTSTORE_TRUST": ""}) as engines:
            yield World(where, vendor, server, proxy, engines, page, random.Random(seed))
    vendor.close()
