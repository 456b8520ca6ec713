"""What people do, in a clone and in a vendor's page; each with the texts in question before the eyes."""

from __future__ import annotations

import re
from collections.abc import Callable

from clouds import Cloud, Kept, PromptLayer, as_text
from words import braintrust_document, edited_document, edited_file, new_file, promptlayer_document, words
from world import Clone, World

from promptstore.errors import PromptStoreError
from promptstore.store.address import parse_address
from promptstore.store.refnames import base_ref
from promptstore.store.tagging import delete_tag, set_tag

NAMES = ("a", "c/d")
MORE = ("b", "f/g")
TAGS = ("production", "staging")
COMMENT = re.compile(r"# why (w\d+)")
EXPLAINED = re.compile(r"note: (w\d+) +# why (w\d+)")
HIDDEN = re.compile(r"(?:# why|note:) (w\d+)")
BROKEN = "oops: true\n"


class People:
    """Everybody in one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dice = world.dice
        here: list[Callable[[Clone], None]] = [
            *[self.edit] * 8,
            *[self.amend] * 2,
            self.revert,
            self.reset,
            *[self.rename] * 2,
            self.copy,
            self.delete,
            *[self.leave_uncommitted] * 2,
            self.stage_only,
            *[self.commit_all] * 2,
            *[self.tag] * 4,
            self.break_file,
        ]
        there: list[Callable[[Cloud], None]] = [
            *[self.edit_there] * 8,
            self.save_old,
            *[self.label] * 4,
            self.archive,
            self.rename_there,
            self.recreate,
        ]
        self.here, self.there = here, there
        self._busy = False

    def act(self) -> None:
        """Somebody does something."""
        if self.dice.random() < 0.5:
            self.act_here(self.dice.choice(self.world.clones))
        else:
            self.act_there()

    def act_here(self, clone: Clone) -> None:
        """Git lets nobody commit on a checkout that a killed process left locked; and an old text saved over a file
        of which the new one is on its way is that person's own doing."""
        action = self.dice.choice(self.here)
        if not clone.repository.tree.locked:
            action(clone)

    def act_there(self) -> None:
        cloud = self.dice.choice(list(self.world.clouds.values()))
        self.dice.choice(self.there)(cloud)

    def race(self, clone: Clone, what: str) -> None:
        """Something happens in the middle of a run."""
        if self._busy:
            return
        self._busy = True
        self.world.tell(f"  meanwhile, {what}:")
        self.world.counts["fault: race"] += 1
        try:
            self._meanwhile(clone, what)
        finally:
            self._busy = False

    def _meanwhile(self, clone: Clone, what: str) -> None:
        if self.dice.random() < 0.35:
            self.world.interrupted = True
            self._race_here(clone)
        elif what != "before delete":
            self.act_there()
            self.world.counts["fault: label race"] += "set_tag" in what

    def _race_here(self, clone: Clone) -> None:
        if not clone.repository.tree.locked:  # an old text saved over a file in the very step that brings a new one
            self.dice.choice([self.edit, self.leave_uncommitted, self.tag, self.delete])(clone)

    # --- here

    def _slug(self, clone: Clone) -> str | None:
        found = sorted(clone.prompts())
        return self.dice.choice(found) if found else None

    def _write(self, clone: Clone, slug: str, text: str | None) -> None:
        files = clone.repository.tree.files
        if text is None:
            files.pop(_path(slug), None)
        else:
            files[_path(slug)] = text.encode()

    def _text(self, clone: Clone, slug: str) -> str | None:
        found = clone.repository.tree.files.get(_path(slug))
        return found.decode() if found is not None else None

    def _commit(self, clone: Clone, message: str, *, amend: bool = False) -> None:
        clone.repository.stage_all()
        clone.repository.commit(clone.who(), message, amend=amend)

    def _edit_file(self, clone: Clone) -> str:
        slug = self.dice.choice([*NAMES, *sorted(clone.prompts())])
        old = self._text(clone, slug)
        made = edited_file(old, self.world.word, self.dice) if old else new_file(self.world.word, self.dice)
        self._write(clone, slug, made)
        return slug

    def edit(self, clone: Clone) -> None:
        with self.world.by_hand(clone, "edit and commit"):
            self._commit(clone, f"Edit {self._edit_file(clone)}")

    def take_up(self, clone: Clone, remote: str, slug: str) -> None:
        """The text last agreed on, which a reset took away, is brought back, or the present one is edited."""
        with self.world.by_hand(clone, f"take up {slug}"):
            agreed = clone.repository.committed(clone.repository.refs.read(base_ref(remote)))
            old = self._text(clone, slug)
            self._write(clone, slug, edited_file(old, self.world.word, self.dice) if old else None)
            if old is None:
                self._write(clone, slug, agreed[f"{slug}/-/prompt"].decode())
            self._commit(clone, f"Take up {slug}")

    def amend(self, clone: Clone) -> None:
        with self.world.by_hand(clone, "amend"):
            self._commit(clone, f"Edit {self._edit_file(clone)}", amend=True)

    def leave_uncommitted(self, clone: Clone) -> None:
        with self.world.by_hand(clone, "edit, without a commit"):
            self._edit_file(clone)

    def stage_only(self, clone: Clone) -> None:
        with self.world.by_hand(clone, "edit and stage"):
            self._edit_file(clone)
            clone.repository.stage_all()

    def commit_all(self, clone: Clone) -> None:
        with self.world.by_hand(clone, "commit everything"):
            self._commit(clone, "Everything")

    def revert(self, clone: Clone) -> None:
        line = clone.repository.first_parents()
        if len(line) > 2:
            with self.world.by_hand(clone, "revert the last commit"):
                clone.repository.tree.files.clear()
                clone.repository.tree.files.update(clone.repository.committed(line[1]))
                self._commit(clone, "Revert")

    def reset(self, clone: Clone) -> None:
        line = clone.repository.first_parents()
        if len(line) > 2:
            with self.world.by_hand(clone, "reset --hard HEAD~1"):
                clone.repository.reset_hard(line[1])

    def rename(self, clone: Clone) -> None:
        old, new = self._slug(clone), self.dice.choice([*NAMES, *MORE])
        if old is None or self._text(clone, new) is not None or self._text(clone, old) is None:
            return
        with self.world.by_hand(clone, f"rename {old} to {new}"):
            text = self._text(clone, old) or ""
            self._write(clone, old, None)
            changed = self.dice.random() < 0.3
            self._write(clone, new, edited_file(text, self.world.word, self.dice) if changed else text)
            self._commit(clone, f"Rename {old}")

    def copy(self, clone: Clone) -> None:
        old, new = self._slug(clone), self.dice.choice([*NAMES, *MORE])
        text = self._text(clone, old) if old else None
        if text is not None and self._text(clone, new) is None:
            with self.world.by_hand(clone, f"copy {old} to {new}"):
                self._write(clone, new, text)
                self._commit(clone, f"Copy {old}")

    def delete(self, clone: Clone) -> None:
        slug = self._slug(clone)
        if slug is not None:
            with self.world.by_hand(clone, f"delete {slug}"):
                self._write(clone, slug, None)
                self._commit(clone, f"Delete {slug}")

    def tag(self, clone: Clone) -> None:
        slug, tag = self._slug(clone), self.dice.choice(TAGS)
        if slug is None:
            return
        try:
            if self.dice.random() < 0.25:
                delete_tag(clone.store, slug, tag)
            else:
                versions = clone.store.history.numbering(clone.repository.tip).of(slug)
                old = self.dice.random() < 0.3 and len(versions) > 1
                set_tag(
                    clone.store, clone.store.locate(parse_address(f"{slug}@{len(versions) - 1}" if old else slug)), tag
                )
        except PromptStoreError:
            return
        self.world.tell(f"{clone.name}: tag {slug} {tag}")

    def break_file(self, clone: Clone) -> None:
        """A file that is no prompt is committed; ``mend_files`` is the next thought."""
        slug = self._slug(clone)
        text = self._text(clone, slug) if slug else None
        if slug and text and self.dice.random() < 0.5:
            with self.world.by_hand(clone, f"break {slug}"):
                self._write(clone, slug, text + BROKEN)
                self._commit(clone, f"Break {slug}")

    def mend_files(self, clone: Clone) -> None:
        broken = [path for path, text in clone.repository.tree.files.items() if BROKEN.encode() in text]
        for path in broken:
            with self.world.by_hand(clone, f"mend {path}"):
                text = clone.repository.tree.files[path]
                clone.repository.tree.files[path] = text.replace(BROKEN.encode(), b"")
                self._commit(clone, "Mend")

    def lose_base(self, clone: Clone) -> None:
        """The agreement with one vendor is gone, and with it which versions ours was published over unseen."""
        name = self.dice.choice(list(self.world.clouds))
        buried, clouds = self._buried(clone, name), self.world.clouds
        agreed = {kept.id: self.world.agreed_words(clouds[name], kept) for kept in clouds[name].live()}
        if clone.repository.refs.names.pop(base_ref(name), None):
            self.world.forgotten |= buried
            self.world.lapsed |= agreed
            self.world.counts["fault: base lost"] += 1
            self.world.tell(f"{clone.name}: the base of {name} is lost")

    def _buried(self, clone: Clone, name: str) -> set[str]:
        waiting = {(link.id, one.version) for link in clone.links(name).values() for one in link.unmerged}
        prompts = self.world.clouds[name].prompts
        found = (saved for key, version in waiting for saved in prompts[key].versions if saved.version == version)
        return set().union(*(words(as_text(saved.document)) for saved in found))

    # --- there

    def _prompt(self, cloud: Cloud) -> Kept | None:
        live = cloud.live()
        return self.dice.choice(live) if live else None

    def _fresh(self, cloud: Cloud, name: str) -> dict[str, object]:
        make = promptlayer_document if isinstance(cloud, PromptLayer) else braintrust_document
        return make(name, self.world.word, self.dice)

    def _told(self, cloud: Cloud, what: str) -> None:
        self.world.tell(f"{type(cloud).__name__}: {what}")

    def edit_there(self, cloud: Cloud) -> None:
        name = self.dice.choice([*NAMES, *(kept.name for kept in cloud.live())])
        kept = cloud.by_name(name)
        old = cloud.shown(kept) if kept else {}
        made = edited_document(old, self.world.word, self.dice) if kept else self._fresh(cloud, name)
        self.world.superseded |= words(as_text(old)) - words(as_text(made))
        kept = cloud.save(name, made)
        if self.dice.random() < 0.2:
            kept.labels[self.dice.choice(TAGS)] = kept.head.version
        self._told(cloud, f"edit {name}, version {kept.head.version}: {sorted(words(as_text(made)))}")

    def save_old(self, cloud: Cloud) -> None:
        """An old version is saved again as the newest."""
        kept = self._prompt(cloud)
        if kept is None:
            return
        made = dict(self.dice.choice(kept.versions).document)
        made.update({key: cloud.shown(kept)[key] for key in cloud.names})
        self.world.superseded |= words(as_text(cloud.shown(kept))) - words(as_text(made))
        cloud.save(kept.name, made)
        self._told(cloud, f"save an old version of {kept.name}")

    def label(self, cloud: Cloud) -> None:
        kept, tag = self._prompt(cloud), self.dice.choice(TAGS)
        if kept is None:
            return
        version = self.dice.choice([None, *kept.versions, kept.head])
        if version is None:
            kept.labels.pop(tag, None)
        else:
            kept.labels[tag] = version.version
        self._told(cloud, f"label {kept.name} {tag} {version and version.version}")

    def archive(self, cloud: Cloud) -> None:
        kept = self._prompt(cloud)
        if kept is not None and len(cloud.live()) > 1:
            self._take_away(cloud, kept)
            self._told(cloud, f"archive {kept.name}")

    def _take_away(self, cloud: Cloud, kept: Kept) -> None:
        """Whoever archives a prompt takes away what its page shows (every version), and what was agreed to belong
        to it."""
        self.world.superseded |= set().union(*(words(as_text(saved.document)) for saved in kept.versions))
        self.world.superseded |= self.world.agreed_words(cloud, kept)
        for clone in self.world.clones:  # what it was made of, though that is not agreed on yet
            for slug in {kept.name, self.world.slug_of(clone, cloud, kept)}:
                self.world.superseded |= set(HIDDEN.findall(self._text(clone, slug) or ""))
        for clone in self.world.clones:
            for text in clone.repository.tree.files.values():
                self.world.superseded |= set(COMMENT.findall(text.decode()))  # a comment keeps no prompt alive
        kept.deleted = True

    def rename_there(self, cloud: Cloud) -> None:
        kept = self._prompt(cloud)
        name = self.dice.choice(["renamed", "new name", *MORE])
        if kept is not None and cloud.by_name(name) is None:
            self._told(cloud, f"rename {kept.name} to {name}")
            cloud.rename(kept, name)

    def recreate(self, cloud: Cloud) -> None:
        """Archived, and made anew under the same name."""
        kept = self._prompt(cloud)
        if kept is not None:
            self._take_away(cloud, kept)
            cloud.save(kept.name, self._fresh(cloud, kept.name))
            self._told(cloud, f"recreate {kept.name}")


def _path(slug: str) -> str:
    return f"prompts/{slug}.yaml"
