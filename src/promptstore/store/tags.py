"""Tags: refs for where they stand, a chain of commits for how they came there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from promptstore.store.git.commits import Identity, NewCommit
from promptstore.store.git.revisions import Said
from promptstore.store.refnames import parse_tag_ref


@dataclass(frozen=True, slots=True)
class TagMove:
    """One move of one tag: versions are None for a commit of no numbered version, or no commit at all."""

    slug: str
    tag: str
    old: int | None
    new: int | None
    old_commit: str | None
    new_commit: str | None
    who: str
    when: datetime
    why: str = ""
    remote: str | None = None

    def message(self) -> str:
        """The log commit's message: a sentence for people, trailers for us."""
        trailers = [
            f"Slug: {self.slug}",
            f"Tag: {self.tag}",
            f"From: {_side(self.old, self.old_commit)}",
            f"To: {_side(self.new, self.new_commit)}",
        ]
        trailers += [f"Remote: {self.remote}"] if self.remote else []
        body = f"{self.why.strip()}\n\n" if self.why.strip() else ""
        return (
            f"{self.slug}: {self.tag} {_words(self.old)} -> {_words(self.new)}\n\n{body}" + "\n".join(trailers) + "\n"
        )

    def commit(self, parent: str | int | None, who: Identity) -> NewCommit:
        return NewCommit(parent, who, who, self.message())

    def as_json(self) -> dict[str, object]:
        return {
            "slug": self.slug,
            "tag": self.tag,
            "from": self.old,
            "to": self.new,
            "who": self.who,
            "when": self.when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "why": self.why,
            "remote": self.remote,
        }


def _words(version: int | None) -> str:
    return f"v{version}" if version else "none"


def _side(version: int | None, commit: str | None) -> str:
    return f"{version or '-'} {commit or '-'}"


def tag_moves(line: Iterable[Said]) -> Iterator[TagMove]:
    """The moves that the commits of a tag log tell, in their order."""
    found = (_parse_move(*said) for said in line)
    return (move for move in found if move is not None)


def _parse_move(who: str, when: int, message: str) -> TagMove | None:
    paragraphs = message.strip("\n").split("\n\n")
    pairs = (line.split(": ", 1) for line in paragraphs[-1].split("\n") if ": " in line)
    trailers = dict(pairs)
    if "Slug" not in trailers or "Tag" not in trailers:
        return None
    (old, old_commit), (new, new_commit) = _unside(trailers.get("From", "- -")), _unside(trailers.get("To", "- -"))
    return TagMove(
        trailers["Slug"],
        trailers["Tag"],
        old,
        new,
        old_commit,
        new_commit,
        who,
        datetime.fromtimestamp(when, UTC),
        "\n\n".join(paragraphs[1:-1]).strip(),
        trailers.get("Remote"),
    )


def _unside(text: str) -> tuple[int | None, str | None]:
    number, _, commit = text.partition(" ")
    return (int(number) if number.isdigit() else None, None if commit in {"", "-"} else commit)


def tags_by_slug(refs: Iterable[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """Tag refs as slug -> tag -> commit."""
    found: dict[str, dict[str, str]] = {}
    for name, commit in refs:
        parsed = parse_tag_ref(name)
        if parsed:
            found.setdefault(parsed[0], {})[parsed[1]] = commit
    return found
