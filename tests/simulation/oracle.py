"""The laws, asked of a world that has come to rest. Nothing here knows how the engine plans."""

from __future__ import annotations

from clouds import Cloud, as_text
from people import EXPLAINED, HIDDEN
from words import words
from world import Clone, World

from promptstore.errors import NotRepresentable, PromptStoreError
from promptstore.model.reading import parse_prompt
from promptstore.store.refnames import remote_ref
from promptstore.sync.actions import Plan
from promptstore.sync.trees import Link
from promptstore.vendors.base import Document


class Oracle:
    """Judges one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    # --- law 1: no lost edit

    def nothing_lost(self, plan: Plan) -> None:
        """Every word stands on a branch, at a vendor or in a conflict, unless somebody who saw it took it out."""
        standing: set[str] = set()
        for clone in self.world.clones:
            standing |= set().union(*(words(text) for text in clone.prompts().values()))
        for cloud in self.world.clouds.values():
            standing |= set().union(*(words(as_text(cloud.shown(kept))) for kept in cloud.live()))
        standing |= set().union(*(words(f"{c.ours} {c.theirs}") for c in plan.conflicts))
        standing |= set().union(*(self._unmerged(clone, plan) for clone in self.world.clones))
        lost = self.world.born - self.world.superseded - self.world.forgotten - standing - self._private()
        lost -= self._explaining() | self._hidden() if lost else set()
        if lost:
            self.world.fail("law 1", f"lost: {sorted(lost)}")

    def _explaining(self) -> set[str]:
        """The comments on values that somebody took out."""
        blobs = (item.data.decode() for item in self.world.database.objects.values() if item.kind == "blob")
        pairs = (pair for text in blobs for pair in EXPLAINED.findall(text))
        return {why for note, why in pairs if note in self.world.superseded}

    def _hidden(self) -> set[str]:
        """What nobody could know of when a prompt was archived: the vendor's last answer did not show it yet."""
        hidden = (document for cloud in self.world.clouds.values() for document in cloud.hidden)
        return set().union(*(words(as_text(document)) for document in hidden))

    def _private(self) -> set[str]:
        """What one clone's files hold beside what vendors can is unknown to whoever edits or deletes in another."""
        if len(self.world.clones) == 1:
            return set()
        objects = self.world.database.objects.values()
        return set().union(*(HIDDEN.findall(item.data.decode()) for item in objects if item.kind == "blob"))

    def _unmerged(self, clone: Clone, plan: Plan) -> set[str]:
        """What was seen of prompts in conflict: fields that one side alone has come along once it is settled."""
        found: set[str] = set()
        for remote, slug in {(c.remote, c.slug) for c in plan.conflicts}:
            seen = clone.repository.refs.read(remote_ref(remote))
            files = clone.repository.committed(seen) if seen else {}
            mine = (f"prompts/{slug}.yaml", f".remote/{slug}/-/")
            found |= set().union(*(words(text.decode()) for path, text in files.items() if path.startswith(mine)))
        stuck = {(held.remote, held.slug) for held in plan.held}
        stuck |= {(halt.remote, slug) for halt in plan.halted for slug in clone.links(halt.remote)}
        return found | set().union(*(self._waiting(clone, remote, slug) for remote, slug in stuck))

    def _waiting(self, clone: Clone, remote: str, slug: str) -> set[str]:
        """The vendor versions that ours was published over, of a prompt that is held, or whose remote is halted: they
        are merged once nothing is in the way any more."""
        link, seen = clone.links(remote).get(slug), clone.repository.refs.read(remote_ref(remote))
        if link is None or seen is None:
            return set()
        kept = clone.repository.committed(seen)
        texts = (kept.get(f".remote/{slug}/-/{one.version}", b"") for one in link.unmerged)
        return set().union(*(words(text.decode()) for text in texts))

    def all_reachable(self) -> None:
        """What an engine saw at a vendor is kept by some ref, for ever."""
        blobs = (text for clone in self.world.clones for text in clone.repository.reachable_blobs())
        kept = set().union(*(words(text.decode()) for text in blobs))
        for cloud in self.world.clouds.values():
            for (prompt, version), document in cloud.kept.items():
                lost = words(as_text(document)) - kept
                if lost:
                    self.world.fail("law 1", f"version {version} of {prompt} was seen, and no ref has {sorted(lost)}")

    # --- law 2: no double publish

    def published_once(self) -> None:
        for name, cloud in self.world.clouds.items():
            if cloud.duplicates:
                self.world.fail("law 2", f"{name}: {cloud.duplicates} made two versions")
            self._no_echo(name, cloud)
            names = [kept.name for kept in cloud.live()]
            if len(names) > len(set(names)):
                self.world.fail("law 2", f"{name}: two prompts have one name: {names}")

    def _no_echo(self, name: str, cloud: Cloud) -> None:
        for kept in cloud.prompts.values():
            for older, newer in zip(kept.versions, kept.versions[1:], strict=False):
                by_engines = newer.by and older.by and not self.world.apart(newer.by, older.by)
                if by_engines and newer.document == older.document:
                    self.world.fail("law 2", f"{name}: {kept.name} {newer.version} says what {older.version} said")

    # --- law 3: quiescence

    def writings(self, clone: Clone) -> list[object]:
        """Everything that a run can write."""
        repository = clone.repository
        files = [dict(repository.refs.names), dict(repository.tree.staged), dict(repository.tree.files)]
        return [*files, [list(cloud.writes) for cloud in self.world.clouds.values()]]

    def quiet(self, clone: Clone, before: list[object]) -> None:
        """A run right after a finished one writes nothing anywhere."""
        after = self.writings(clone)
        if after != before:
            changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
            self.world.fail("law 3", f"a second run has nothing to do, and writes: {changed}")
        self.world.counts["quiet runs"] += 1

    # --- law 4: convergence

    def converged(self, clone: Clone, plan: Plan) -> None:
        """Both sides say the same wherever nothing is held or in conflict."""
        left = {(h.remote, h.slug) for h in plan.held} | {(c.remote, c.slug) for c in plan.conflicts}
        here = clone.prompts()
        for name, cloud in self.world.clouds.items():
            links = clone.links(name)
            ids = {link.id for link in links.values()}
            held = {slug for remote, slug in left if remote == name}
            missing = [kept.name for kept in cloud.live() if kept.id not in ids and not held]
            if missing:
                self.world.fail("law 4", f"{name} has {missing}, which nobody linked")
            for slug in sorted(set(here) - held):
                if slug not in links:
                    self.world.fail("law 4", f"{slug} is not at {name}")
                self._agree(clone, name, cloud, slug, links[slug])
            for slug in sorted(set(links) - set(here) - held):
                self.world.fail("law 4", f"{slug} is linked with {name}, and not here")

    def _agree(self, clone: Clone, remote: str, cloud: Cloud, slug: str, link: Link) -> None:
        kept = cloud.prompts[link.id]
        if kept.deleted:
            self.world.fail("law 4", f"{slug} is here, and archived at {remote}")
        theirs = cloud.shown(kept)
        ours = self._projected(clone, cloud, slug, link)
        ignored = cloud.names if self.world.counts["fault: base lost"] else ()
        if ours != theirs and _without(ours, ignored) != _without(theirs, ignored):
            self.world.fail("law 4", f"{slug} differs: {clone.prompts()[slug]} / {as_text(theirs)}")
        self.world.counts["prompts that converged"] += 1
        self._tags_agree(clone, remote, cloud, slug, link)

    def _projected(self, clone: Clone, cloud: Cloud, slug: str, link: Link) -> Document:
        text = clone.prompts()[slug]
        try:
            prompt = parse_prompt(text, slug)
            return cloud.vendor.lens.project(prompt, link.called or slug)
        except (PromptStoreError, NotRepresentable) as error:
            return {"error": str(error)}

    def _tags_agree(self, clone: Clone, remote: str, cloud: Cloud, slug: str, link: Link) -> None:
        kept = cloud.prompts[link.id]
        here = clone.store.locator.tags(slug, clone.repository.tip)
        if set(here) != set(kept.labels):
            self.world.fail("law 4", f"tags of {slug} at {remote}: {sorted(here)} here, {kept.labels} there")
        for tag, place in here.items():
            saved = next(saved for saved in kept.versions if saved.version == kept.labels[tag])
            text = clone.repository.database.objects[place.blob].data.decode()
            there = words(as_text(saved.document))
            if not there <= words(text):
                self.world.fail("law 4", f"{slug}@{tag}: {sorted(there)} at {remote}, {sorted(words(text))} here")

    # --- law 7: absence needs proof

    def nothing_deleted(self, clone: Clone, before: set[str], after: set[str]) -> None:
        """What an engine took off the branch was archived at some vendor."""
        for slug in sorted(before - after):
            if not any(kept.deleted for cloud in self.world.clouds.values() for kept in cloud.prompts.values()):
                self.world.fail("law 7", f"{slug} was deleted, and nobody ever archived anything")
            self.world.counts["deletions that were proven"] += 1


def _without(document: Document, names: tuple[str, ...]) -> Document:
    """Under which slug a prompt was linked nobody knows any more when the base is lost."""
    return {key: value for key, value in document.items() if key not in names}
