"""People: who edits, what they had before the eyes, and what they say with it.

Every edit puts a word of its own into one paragraph. A word may leave a text only by the hand of somebody who saw it.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_lowercase

import httpx
from hubs import BasaltPage, BraintrustPage, PromptLayerPage
from repos import chat
from soak_clones import Clone
from soak_places import Place

from promptstore.errors import PromptStoreError

WORD = re.compile(r"\bw\d+\b")
PARAGRAPH = re.compile(r"\b\d w\d+ [a-z]+\b")
MARKED = re.compile(r"^<{7,} .*\n((?:.*\n)*?)={7,}\n((?:.*\n)*?)>{7,} .*\n", re.MULTILINE)
"""What git writes where both sides renamed and edited: it then marks the file in every stage."""
TAGS = ("production", "staging")
MOST_PROMPTS = 9


def words(text: str) -> set[str]:
    return set(WORD.findall(text))


def paragraphs(text: str) -> tuple[str, ...]:
    return tuple(PARAGRAPH.findall(text))


@dataclass
class People:
    """Everybody, and all that they ever said."""

    dice: random.Random
    clones: list[Clone]
    places: dict[str, Place]
    born: set[str] = field(default_factory=set)
    superseded: set[str] = field(default_factory=set)
    unkept: set[str] = field(default_factory=set)
    """What was written over before it was ever committed."""
    said: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    """Vendor -> the texts that people saved there."""
    restored: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)

    def note(self, what: str) -> None:
        self.log.append(what)

    # --- words

    def _word(self) -> str:
        self.counts["words"] += 1
        return f"w{self.counts['words']}"

    def _fresh(self) -> str:
        """Four paragraphs, so unlike all others that git takes no prompt for another one renamed."""
        letters = "".join(self.dice.choices(ascii_lowercase, k=160))
        return "\n\n".join(f"{place} {self._word()} {letters[place * 40 :][:40]}" for place in range(4))

    def _changed(self, old: tuple[str, ...]) -> tuple[str, set[str]]:
        """The text with one paragraph written anew; and what went away by it."""
        place = self.dice.randrange(len(old))
        number, _, rest = old[place].split(" ")
        text = "\n\n".join([*old[:place], f"{number} {self._word()} {rest}", *old[place + 1 :]])
        return text, words(old[place])

    # --- in a clone

    def _prompts(self, clone: Clone) -> list[Path]:
        return sorted((clone.root / "prompts").rglob("*.yaml"))

    def edit(self, clone: Clone, *, commit: bool = True) -> None:
        """Somebody edits a file, which an editor puts in place whole; and commits it, or leaves it."""
        files = self._prompts(clone)
        if not files:
            return
        file = self.dice.choice(files)
        try:
            old = file.read_text()
            if not paragraphs(old):
                return
            text, gone = self._changed(paragraphs(old))
            if not _saved(file, old, chat(text)):
                return
        except FileNotFoundError:
            return  # taken away this very moment
        self.born |= words(text)
        self.superseded |= gone
        self.unkept |= gone - words(clone.git("show", f"HEAD:{file.relative_to(clone.root)}").stdout)
        self.counts["edits in clones"] += 1
        self.note(f"{clone.name}: edit {file.stem}: {sorted(gone)} -> {sorted(words(text) - words(old))}")
        if commit:
            self.commit(clone)

    def commit(self, clone: Clone) -> None:
        """Commit whatever is there."""
        if not clone.out("status", "--porcelain", "--", "prompts"):
            return
        clone.git("add", "-A", "--", "prompts")
        done = clone.git("commit", "-q", "-m", f"Edited by {clone.name}")
        self.counts["commits by people"] += not done.returncode

    def add(self, clone: Clone) -> None:
        if len(self._prompts(clone)) >= MOST_PROMPTS:
            return
        self.counts["prompts"] += 1
        folder = self.dice.choice(["", "team/"])
        file = clone.root / "prompts" / f"{folder}p{self.counts['prompts']}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = self._fresh()
        file.write_text(chat(text))
        self.born |= words(text)
        self.counts["edits in clones"] += 1
        self.note(f"{clone.name}: add {file.stem}: {sorted(words(text))}")
        self.commit(clone)

    def rename(self, clone: Clone) -> None:
        self.commit(clone)
        files = self._prompts(clone)
        if not files:
            return
        self.counts["prompts"] += 1
        old, new = self.dice.choice(files), clone.root / "prompts" / f"r{self.counts['prompts']}.yaml"
        if clone.git("mv", str(old), str(new)).returncode == 0:
            self.note(f"{clone.name}: rename {old.stem} {new.stem}")
            self.counts["renames"] += 1
            clone.git("commit", "-q", "-m", f"Rename {old.stem} to {new.stem}")

    def delete(self, clone: Clone) -> None:
        """Somebody deletes a prompt whose text they see."""
        self.commit(clone)
        files = self._prompts(clone)
        if len(files) < 4:
            return
        file = self.dice.choice(files)
        seen = words(file.read_text())
        if clone.git("rm", "-q", str(file)).returncode == 0:
            self.superseded |= seen
            self.note(f"{clone.name}: delete {file.stem}: {sorted(seen)}")
            self.counts["deletions"] += 1
            clone.git("commit", "-q", "-m", f"Delete {file.stem}")

    def pull(self, clone: Clone) -> None:
        """``git pull``; where both changed the same lines, one side of the file is taken, with both before the eyes."""
        self.commit(clone)
        done = clone.git("pull", "-q", "--no-rebase", "--no-edit", "origin", "main")
        if done.returncode and clone.out("ls-files", "-u"):
            self._settle_merge(clone)
        self.counts["pulls"] += not done.returncode

    def _settle_merge(self, clone: Clone) -> None:
        stages: dict[str, dict[str, str]] = {}
        for line in clone.out("ls-files", "-u").splitlines():
            head, path = line.split("\t")
            stages.setdefault(path, {})[head.split()[2]] = head.split()[1]
        for path, found in stages.items():
            seen = set().union(*(words(clone.out("cat-file", "blob", oid)) for n, oid in found.items() if n != "1"))
            side = self.dice.choice(["2", "3"])
            side = side if side in found else next(iter(found.keys() - {"1"}), "1")
            if side == "1":
                clone.out("rm", "-q", "--cached", path)
                (clone.root / path).unlink(missing_ok=True)
                continue
            clone.out("checkout", "--ours" if side == "2" else "--theirs", "--", path)
            file = clone.root / path
            file.write_text(MARKED.sub(r"\1" if side == "2" else r"\2", file.read_text()))
            clone.out("add", "--", path)
            gone = seen - words(file.read_text())
            self.superseded |= gone
            self.note(f"{clone.name}: merge {path}: took {side}, gone {sorted(gone)}")
        clone.out("commit", "-q", "--no-edit")
        self.counts["conflicts of git resolved"] += 1
        self.restored = True

    def push(self, clone: Clone) -> None:
        self.counts["pushes"] += not clone.git("push", "-q", "origin", "main").returncode

    def tag(self, clone: Clone) -> None:
        files = self._prompts(clone)
        if not files:
            return
        slug = str(self.dice.choice(files).relative_to(clone.root / "prompts")).removesuffix(".yaml")
        done = clone.command("tag", slug, self.dice.choice(TAGS))
        self.counts["tags moved in clones"] += not done.returncode

    def configure(self, clone: Clone) -> None:
        """Somebody changes what the whole team's daemons go by."""
        self.commit(clone)
        file = clone.root / ".promptstore.toml"
        text = file.read_text()
        old, new = self.dice.choice([("push = true", "push = false"), ("autocommit = true", "autocommit = false")])
        file.write_text(text.replace(old, new) if old in text else text.replace(new, old))
        if clone.git("commit", "-q", "-m", "Configure", "--", ".promptstore.toml").returncode == 0:
            self.counts["changes of the config"] += 1

    # --- at a vendor's page

    def at_vendor(self, place: Place) -> None:
        """Somebody edits in the vendor's page, makes a prompt there, or moves a label."""
        acts = {"promptlayer": self._at_promptlayer, "braintrust": self._at_braintrust, "basalt": self._at_basalt}
        try:
            acts[place.name](place.twin)  # type: ignore[operator]
        except (AssertionError, httpx.HTTPError, PromptStoreError, StopIteration, LookupError) as error:
            self.note(f"{place.name}: the page did not take it: {error!r}"[:200])  # its server was busy, or it is gone
            self.counts["edits that a page did not take"] += 1

    def _saved_there(self, vendor: str, name: str, text: str) -> None:
        """To be called before the save: one that breaks off may have been made."""
        self.said.setdefault(vendor, set()).add(paragraphs(text))
        self.note(f"{vendor}: {name}: {sorted(words(text))}")

    def _done_there(self, text: str) -> None:
        self.born |= words(text)
        self.counts["edits at vendors"] += 1

    def _at_promptlayer(self, page: PromptLayerPage) -> None:
        items = page.request("GET", "/prompt-templates", per_page="100")["items"]
        act = self.dice.choice(["edit", "edit", "edit", "label", "new"])
        if not items or (act == "new" and len(items) < MOST_PROMPTS):
            self._new_at_promptlayer(page)
            return
        name = self.dice.choice(sorted(item["prompt_name"] for item in items))
        if act == "label":
            page.label(name, self.dice.choice(TAGS), int(page.read(page.id_of(name))["version"]))
            self.counts["labels moved at vendors"] += 1
            return
        text, _ = self._changed(paragraphs("\n".join(page.texts(name))))
        self._saved_there("promptlayer", name, text)
        page.save(name, text)
        self._done_there(text)

    def _new_at_promptlayer(self, page: PromptLayerPage) -> None:
        self.counts["prompts"] += 1
        name, text = f"l{self.counts['prompts']}", self._fresh()
        self._saved_there("promptlayer", name, text)
        page.save(name, text)
        self._done_there(text)

    def _at_braintrust(self, page: BraintrustPage) -> None:
        slugs = page.prompts()
        if not slugs:
            return
        slug = self.dice.choice(slugs)
        if self.dice.random() < 0.2:
            page.point(slug, self.dice.choice(TAGS), str(page.prompt(slug)["_xact_id"]))
            self.counts["labels moved at vendors"] += 1
            return
        (old,) = page.texts(slug)
        text, _ = self._changed(paragraphs(old))
        self._saved_there("braintrust", slug, text)
        prompt = page.prompt(slug)
        data = prompt["prompt_data"]
        data["prompt"]["messages"][0]["content"] = text
        page.request(
            "PUT", "/v1/prompt", {key: prompt[key] for key in ("project_id", "name", "slug")} | {"prompt_data": data}
        )
        self._done_there(text)

    def _at_basalt(self, page: BasaltPage) -> None:
        store = page.store
        slugs = sorted(store.prompts_at(store.tip)) if store.tip else []
        if len(slugs) < 3:
            self.counts["prompts"] += 1
            slug, text = f"b{self.counts['prompts']}", self._fresh()
        elif self.dice.random() < 0.2:
            slug = self.dice.choice(slugs)
            page.tag(slug, self.dice.choice(TAGS), str(page.get(slug)["version"]))
            self.counts["labels moved at vendors"] += 1
            return
        else:
            slug = self.dice.choice(slugs)
            text, _ = self._changed(paragraphs(store.contents.raw(store.prompts_at(store.tip)[slug]).decode()))
        self._saved_there("basalt", slug, text)
        page.save(slug, chat(text))
        self._done_there(text)


def _saved(file: Path, old: str, new: str) -> bool:
    """Put a file in place whole, as editors do, unless it changed beneath the editor, which then asks."""
    scratch = file.with_name(f".{file.name}.tmp")
    scratch.write_text(new)
    if not file.exists() or file.read_text() != old:
        scratch.unlink()
        return False
    os.replace(scratch, file)
    return True
