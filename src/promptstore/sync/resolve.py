"""Settling conflicts: a text is chosen and committed here; the vendor's version then counts as seen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from promptstore.errors import ConflictError, InvalidPrompt, StoreBusy, Where
from promptstore.merge.driver import merge_files
from promptstore.merge.formats import merge_in_one_format
from promptstore.model.prompt_file import PromptFile
from promptstore.model.reading import parse_prompt
from promptstore.store.atomic import replace_file
from promptstore.store.store import Store
from promptstore.store.writing import TextChange
from promptstore.sync.actions import Action, Conflict, Plan
from promptstore.sync.agreement import Agreed
from promptstore.sync.landing import OnBranch
from promptstore.sync.local import Local, is_behind, last_text, read_local, short
from promptstore.sync.pull import Puller
from promptstore.sync.session import Session
from promptstore.sync.texts import edited, text_of
from promptstore.sync.trees import Link, RemoteEntry, Unmerged
from promptstore.vendors.base import Document

Side = Literal["ours", "theirs", "edit"]
OneSide = Literal["ours", "theirs"]


def in_turn(
    store: Store, sessions: Sequence[Session], found: Sequence[Conflict], plan: Callable[[], Plan]
) -> Iterator[tuple[Session, list[Conflict]]]:
    """Each remote with its conflicts, of ``found``, that still look as they did.

    Settling another remote's may have brought a text here that nobody has seen beside this one's; where only what was
    pushed counts, that shows after the push. Such conflicts are for the next `resolve`.
    """
    is_pushed = read_local(store).ref != store.branch
    settled: set[str] = set()
    for session in sessions:
        now, mine = plan().conflicts, [one for one in found if one.remote == session.name]
        changed = {one.slug for one in mine if one not in now} | (settled if is_pushed else set())
        same = [one for one in mine if one.slug not in changed]
        yield session, same
        settled |= {one.slug for one in same}


class Resolver:
    """Settles one remote's conflicts. ``editor`` turns a text with marks into the text the user wants.

    ``fields`` names conflicting fields whose side is another than ``side``.
    """

    def __init__(
        self,
        store: Store,
        session: Session,
        local: Local,
        side: Side,
        editor: Callable[[str], str | None],
        fields: Mapping[str, OneSide] | None = None,
    ) -> None:
        self._store = store
        self._session = session
        self._local = local
        self._side = side
        self._editor = editor
        self._fields = fields or {}
        self._lens = session.vendor.lens

    def pass_over(self, slug: str) -> None:
        """Go on without the first vendor version that ours went on top of, which cannot be read; the next one is told
        of in its turn.

        Raises ConflictError where another side than ours is asked for.
        """
        if self._side != "ours":
            raise ConflictError("what it says cannot be read", where=Where(slug=slug), hint="there is only --ours")
        seen, agreed = self._session.tracked.prompts.get(slug), self._session.agreed(slug)
        first = next(iter(agreed.link.unmerged), None) if agreed is not None else None
        if agreed is not None and first is not None and (seen is None or first.version not in seen.versions):
            self._session.agree(slug, replace(agreed, link=agreed.link.without(first.version)))

    def take(self, slug: str) -> None:
        """Settle a prompt whose agreed text this branch never had: what is chosen was chosen with sight of theirs.

        Raises ConflictError where there is nothing here that could be chosen.
        """
        self._refuse_unpushed(slug)
        seen = self._session.tracked.prompts.get(slug)
        ours = self._local.prompts.get(slug)
        if seen is None or slug in self._session.gone:
            self._gone(slug)
        elif ours is not None:
            self._commit(slug, self._chosen(slug, None, ours, seen.document))
            self._link(slug, seen)
        elif self._side == "theirs":
            self._commit(slug, self._store.contents.raw(seen.blob))
            self._link(slug, seen)
        else:
            self._stay_deleted(slug)

    def _stay_deleted(self, slug: str) -> None:
        """Our deletion was made with sight of the agreed text, as far as this branch ever had one."""
        agreed = self._session.agreed(slug)
        proof = last_text(self._store, self._local, slug)
        if agreed is None or proof is None:
            raise ConflictError(
                "it was never on this branch, so there is no side of ours to take",
                where=Where(slug=slug),
                hint="run `git pull` first, or use --theirs",
            )
        self._session.agree(slug, Agreed(agreed.blob, replace(agreed.link, proof=proof)))

    def resolve(self, slug: str, conflicts: Sequence[Conflict]) -> None:
        """Settle every conflict of one prompt. Raises ConflictError when the edited text is not usable."""
        tags = [conflict.field.removeprefix("tag:") for conflict in conflicts if conflict.field.startswith("tag:")]
        if len(tags) < len(conflicts):
            self._refuse_unpushed(slug)
            self._contents(slug)
        for tag in tags:
            self._tag(slug, tag)

    # --- contents

    def _contents(self, slug: str) -> None:
        seen = self._session.tracked.prompts.get(slug)
        ours = self._local.prompts.get(slug)
        if seen is None or slug in self._session.gone:
            self._gone(slug)
        elif ours is None:
            self._deleted_here(slug, seen)
        else:
            self._commit(slug, self._chosen(slug, self._base_blob(slug, seen), ours, self._document(slug, seen)))
            self._agree(slug, seen)

    def _chosen(self, slug: str, base: str | None, ours: str, document: Document) -> bytes:
        raw = self._store.contents.raw(ours)
        onto = base or ours
        theirs = text_of(self._store, self._lens, document, self._session.called(slug), onto)
        if self._side == "edit":
            return self._edited(slug, base, raw, theirs)
        if base is None:
            return self._whole(slug, raw, theirs)
        path = self._store.layout.path(slug)
        prompt, other = self._store.contents.prompt(ours, path), parse_prompt(theirs, path)
        merged = merge_in_one_format(self._store.contents.prompt(base, path), prompt, other, side=self._side_of)
        return edited(raw, PromptFile.model_validate(merged.data))

    def _side_of(self, field: str) -> OneSide:
        return self._fields.get(field, "theirs" if self._side == "theirs" else "ours")

    def _whole(self, slug: str, ours: bytes, theirs: bytes) -> bytes:
        if any(not field.startswith("tag:") for field in self._fields):
            raise ConflictError(
                "nothing was agreed on yet, so one side is taken as a whole",
                where=Where(slug=slug),
                hint="use --edit to take some fields from either side",
            )
        return ours if self._side == "ours" else theirs

    def _edited(self, slug: str, base: str | None, ours: bytes, theirs: bytes) -> bytes:
        path = self._store.layout.path(slug)
        older = self._store.contents.raw(base).decode() if base else None
        marked = merge_files(older, ours.decode(), theirs.decode(), path).text
        chosen = self._editor(marked)
        if chosen is None:
            raise ConflictError(
                "nothing was saved, so nothing is settled", where=Where(slug=slug), hint="edit and save it"
            )
        try:
            parse_prompt(chosen, path)
        except InvalidPrompt as error:
            raise ConflictError(
                f"the edited text is not a prompt: {error.message}",
                where=error.where,
                hint="run it again, and take out every <<<<<<<, ======= and >>>>>>> line",
            ) from error
        return chosen.encode()

    def _document(self, slug: str, seen: RemoteEntry) -> Document:
        """The vendor's text in question: its newest, or the one that ours was published over."""
        unmerged = self._unmerged(slug, seen)
        if unmerged is None:
            return seen.document
        prompt = self._store.contents.prompt(seen.versions[unmerged.version].blob, self._store.layout.path(slug))
        return self._lens.project(prompt, self._session.called(slug))

    def _base_blob(self, slug: str, seen: RemoteEntry) -> str | None:
        agreed, unmerged = self._session.agreed(slug), self._unmerged(slug, seen)
        if unmerged is not None:
            return unmerged.base or None
        return agreed.blob if agreed else None

    def _unmerged(self, slug: str, seen: RemoteEntry) -> Unmerged | None:
        agreed = self._session.agreed(slug)
        return agreed.link.to_merge(seen) if agreed else None

    def _deleted_here(self, slug: str, seen: RemoteEntry) -> None:
        if self._side != "ours":
            self._commit(slug, self._store.contents.raw(seen.blob))
        if self._side != "ours" and self._unmerged(slug, seen) is not None:
            return  # it is back, and what ours was published over is merged into it by the next run
        self._agree(slug, seen)

    def _gone(self, slug: str) -> None:
        if self._side == "theirs":
            self._commit(slug, None)
        self._session.agree(slug, None)

    def _refuse_unpushed(self, slug: str) -> None:
        """What is chosen is chosen of L's text: it must not go over one on the branch that nobody was asked about."""
        local = self._local
        if local.branch_tip is None or is_behind(self._store, local):
            return
        if self._on_branch(slug, local) != local.prompts.get(slug):
            raise StoreBusy(
                f"its text on {self._store.config.branch} is not what {short(local.ref)} says",
                where=Where(slug=slug),
                hint="`git pull` and `git push` first, then run it again",
            )

    def _on_branch(self, slug: str, local: Local) -> str | None:
        return self._store.prompts_at(local.branch_tip).get(slug)

    def _commit(self, slug: str, text: bytes | None) -> None:
        """Onto what the branch says now. Raises ConflictError where the prompt was changed since it was looked at."""
        now = read_local(self._store)
        if self._on_branch(slug, now) != self._on_branch(slug, self._local):
            kept = f"; what you wrote is in {self._keep(text)}" if self._side == "edit" and text is not None else ""
            raise ConflictError(
                "it was changed while it was being settled",
                where=Where(slug=slug),
                hint=f"run it again{kept}",
            )
        subject = f"Resolve {slug} with {self._session.name} ({self._side})\n"
        OnBranch(self._store, now).land([TextChange(slug, text, self._store.user(), subject)], "promptstore: resolve")

    def _keep(self, text: bytes) -> str:
        path = os.path.join(self._store.repository.state_dir, "unsettled.yaml")
        replace_file(path, text)
        return path

    def _agree(self, slug: str, seen: RemoteEntry) -> None:
        """The vendor's version in question is taken note of: what is chosen here was chosen with sight of it."""
        old, unmerged = self._session.agreed(slug), self._unmerged(slug, seen)
        if old is not None and unmerged is not None:
            self._session.agree(slug, replace(old, link=old.link.merged(unmerged.version, self._proof(slug))))
        else:
            self._link(slug, seen)

    def _link(self, slug: str, seen: RemoteEntry) -> None:
        """The vendor's newest version is taken note of; what ours went on top of is still to be merged."""
        old = self._session.agreed(slug)
        link = Link(
            seen.id,
            seen.name,
            seen.version,
            seen.digest,
            {**seen.known_versions(), **(old.link.versions if old else {})},
            old.link.tags if old else {},
            old.link.unmerged if old else (),
            proof=self._proof(slug),
            called=self._session.called(slug),
        )
        self._session.agree(slug, Agreed(seen.blob, link))

    def _proof(self, slug: str) -> str:
        """The text on the branch by now that says that the vendor's was seen."""
        old = self._session.agreed(slug)
        before = (old.link.proof or old.blob) if old else ""
        return self._store.prompts_at(self._store.refs.read(self._store.branch)).get(slug, before)

    # --- tags

    def _tag(self, slug: str, tag: str) -> None:
        seen = self._session.tracked.prompts.get(slug)
        theirs = seen.tags.get(tag) if seen else None
        side = self._fields.get(f"tag:{tag}", self._side)
        if side == "edit":
            raise ConflictError(
                f"the tag '{tag}' cannot be edited", where=Where(slug=slug), hint="use --ours or --theirs"
            )
        if side == "ours":
            self._session.relink_tag(slug, tag, theirs)
            return
        kind: Literal["tag-local", "untag-local"] = "untag-local" if theirs is None else "tag-local"
        action = Action(self._session.name, slug, kind, tag=tag, expected=theirs)
        Puller(self._store, self._session, self._local).pull_tags([action])
