"""The git store as the vendors' routes use it: one look for many reads, one lock for all writes."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from promptstore.errors import ConflictError, PromptNotFound, RefMoved, StoreBusy, Where
from promptstore.model.yaml.reader import BOM
from promptstore.serve.links import link_state, read_links
from promptstore.serve.stamps import Stamps, with_notes
from promptstore.serve.view import Documents, StoreView
from promptstore.store.address import Located
from promptstore.store.git.checkout import FileChange, dirty_paths, worktrees_on
from promptstore.store.git.commits import Identity, NewCommit
from promptstore.store.refnames import VERSIONS, require_tag
from promptstore.store.store import Store
from promptstore.store.tagging import delete_tag, set_tag, settle_renames
from promptstore.store.writing import TextChange, commit_texts
from promptstore.sync.texts import text_of
from promptstore.vendors.base import Document, Vendor
from promptstore.vendors.serving import Edition, View

T = TypeVar("T")

_ATTEMPTS = 8
_REASON = "promptstore: publish through the local twin"
_AGAIN = b"# This text was published again, unchanged."
_MARK = re.compile(rb"\A(\xef\xbb\xbf)?" + re.escape(_AGAIN) + rb"\r?\n")


class StoreTwin:
    """One vendor's side of the twin; see ``promptstore.vendors.serving.Twin``. All sides of a store share ``lock``."""

    def __init__(self, store: Store, vendor: Vendor, lock: threading.RLock | None = None) -> None:
        self.vendor = vendor
        self.lock = lock or threading.RLock()
        self._store = store
        self._stamps = Stamps(store.objects)
        self._documents = Documents()
        self._seen: tuple[tuple[str | None, ...], StoreView] | None = None

    # --- reading

    def view(self) -> StoreView:
        tip = self._store.tip
        state = (tip, self._store.refs.read(VERSIONS), *link_state(self._store, self.vendor.name))
        seen = self._seen
        if seen is None or seen[0] != state:
            links = read_links(self._store, self.vendor.name)
            seen = (state, StoreView(self._store, self.vendor, tip, links, self._stamps, self._documents))
            self._seen = seen
        return seen[1]

    # --- writing

    def publish(
        self,
        choose: Callable[[View], str],
        document: Document,
        message: str,
        notes: Mapping[str, Any] | None = None,
    ) -> Edition:
        def attempt() -> Edition:
            view = self.view()
            slug = choose(view)
            who = self._store.user()
            self._check_writable([slug])
            text = self._text(view, slug, document)
            commit_texts(self._store, [TextChange(slug, text, who, with_notes(message, notes))], _REASON)
            self._number(who)
            return self.view().newest(slug)

        return self._retried(attempt)

    def _text(self, view: StoreView, slug: str, document: Document) -> bytes:
        """The prompt file for the document; its bytes always differ from those of the prompt's last version.

        A version is a change of the file, and every publish is to be one: an unchanged text gets a comment on top,
        or loses it again. A comment means nothing, so no digest, diff by field or vendor ever notices.
        """
        versions = view.numbering.of(slug)
        last = versions[-1].blob if versions else None
        onto = view.prompts.get(slug, last)
        text = _MARK.sub(rb"\1", text_of(self._store, self.vendor.lens, document, view.called(slug), onto))
        return text if self._store.commits.blob_id(text) != last else _marked(text)

    def tag(self, edition: Edition, tag: str) -> None:
        require_tag(tag)
        place = Located(edition.slug, edition.blob, self._standing(edition), edition.version)
        self._retried(lambda: set_tag(self._store, place, tag, "set through the local twin"))

    def _standing(self, edition: Edition) -> str:
        if edition.commit is None:
            raise ConflictError("that version never came to this store", hint="pull it first")
        return edition.commit

    def untag(self, slug: str, tag: str) -> None:
        self._retried(lambda: delete_tag(self._store, slug, tag, "taken away through the local twin"))

    def remove(self, slugs: Iterable[str], message: str) -> None:
        wanted = list(slugs)

        def attempt() -> None:
            self._check_there(wanted)
            self._check_writable(wanted)
            who = self._store.user()
            commit_texts(self._store, [TextChange(slug, None, who, message) for slug in wanted], _REASON)
            self._number(who)

        self._retried(attempt)

    def move(self, slug: str, new: str, message: str) -> None:
        def attempt() -> None:
            view = self._check_there([slug])
            self._check_writable([slug, new])
            self._rename(view, slug, new, message)

        self._retried(attempt)

    def _rename(self, view: StoreView, slug: str, new: str, message: str) -> None:
        """Two commits where the vendor's name came from the slug: git knows a rename by its unchanged text."""
        store, who = self._store, self._store.user()
        blob, tip = view.prompts[slug], store.refs.read(store.branch)
        old_path, path = store.layout.path(slug), store.layout.path(new)
        chain = [NewCommit(tip, who, who, message, {old_path: None, path: blob})]
        text = self._named(view, slug, new)
        if text is not None:
            blob = store.commits.blob_id(text)
            chain.append(NewCommit(0, who, who, f"Keep the name of {new} at {self.vendor.title}", {path: text}))
        made = store.commits.write(chain, sign=True)[-1]
        store.checkout.advance(store.branch, tip, made, [FileChange(old_path, None), FileChange(path, blob)], _REASON)
        settle_renames(store)
        self._number(who)

    def _named(self, view: StoreView, slug: str, new: str) -> bytes | None:
        """The moved prompt's text with its name written out, where the slug alone would not give it back."""
        document = view.document(view.newest(slug))
        if view.remote_id(slug) is not None:
            return None  # the link remembers the name
        text = text_of(self._store, self.vendor.lens, document, new, view.prompts[slug])
        return None if self._store.commits.blob_id(text) == view.prompts[slug] else text

    def _number(self, who: Identity) -> None:
        """A number that an application was told must last."""
        self._store.history.record(self._store.refs.read(self._store.branch), who)

    # --- what may stand in the way

    def _check_there(self, slugs: Iterable[str]) -> StoreView:
        view = self.view()
        for slug in slugs:
            if slug not in view.prompts:
                raise PromptNotFound(f"there is no prompt '{slug}'", where=Where(slug=slug))
        return view

    def _check_writable(self, slugs: Iterable[str]) -> None:
        """Raise ConflictError where a person's uncommitted edits would silently undo the commit."""
        store = self._store
        branch = store.refs.read(store.branch)
        if branch is None and store.tip is not None:
            raise ConflictError(f"the branch '{store.config.branch}' is not in this clone", hint="check it out once")
        paths = [store.layout.path(slug) for slug in slugs]
        for tree in worktrees_on(store.repository, store.refs, store.branch):
            entries = store.objects.tree(branch, *paths) if branch else {}
            dirty = dirty_paths(tree, entries, paths)
            if dirty:
                name = os.path.basename(min(dirty))
                raise ConflictError(f"{name} has uncommitted edits in the work tree", hint="commit them first")

    def _retried(self, attempt: Callable[[], T]) -> T:
        with self.lock:
            for _ in range(_ATTEMPTS):
                try:
                    return attempt()
                except RefMoved:
                    continue
        raise StoreBusy("others keep writing to the store", hint="try again")


def _marked(text: bytes) -> bytes:
    mark = BOM.encode() if text.startswith(BOM.encode()) else b""
    ending = b"\r\n" if b"\r\n" in text.partition(b"\n")[0] + b"\n" else b"\n"
    return mark + _AGAIN + ending + text[len(mark) :]
