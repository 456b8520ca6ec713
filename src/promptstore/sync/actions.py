"""What a plan consists of: actions, conflicts, what is held and what is halted. Data, shown before any write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from promptstore.model.digest import digest_of

Kind = Literal[
    "create-remote",
    "update-remote",
    "delete-remote",
    "tag-remote",
    "untag-remote",
    "create-local",
    "update-local",
    "delete-local",
    "tag-local",
    "untag-local",
    "merge",
    "link",
    "move",
]

LOCAL_KINDS = frozenset({"create-local", "update-local", "delete-local", "merge", "link", "move"})
REMOTE_KINDS = frozenset({"create-remote", "update-remote", "delete-remote"})
LOCAL_TAG_KINDS = frozenset({"tag-local", "untag-local"})
REMOTE_TAG_KINDS = frozenset({"tag-remote", "untag-remote"})


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do for one prompt at one remote.

    ``version`` is the vendor's version (or, for a tag here, ours). The fields below ``reason`` are what carrying it
    out needs; they take part in the plan's id, so that an accepted plan is that very plan.
    """

    remote: str
    slug: str
    kind: Kind
    fields: tuple[str, ...] = ()
    version: int | str | None = None
    tag: str | None = None
    reason: str = ""
    blob: str | None = None
    """The text in question: to publish, or the one agreed on."""
    remote_id: str | None = None
    expected: str | None = None
    """The newest vendor version that the plan knew."""
    data: Mapping[str, Any] | None = None
    """The merged prompt, for ``merge``."""
    origin: str | None = None
    """The slug it had before, for ``move``."""

    def as_json(self) -> dict[str, Any]:
        return {
            "remote": self.remote,
            "slug": self.slug,
            "kind": self.kind,
            "fields": list(self.fields),
            "version": self.version,
            "tag": self.tag,
            "reason": self.reason,
        }

    def identity(self) -> list[Any]:
        return [self.remote, self.slug, self.kind, self.tag, self.version, self.blob, self.remote_id, self.expected]


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field that both sides changed since they last agreed; ``field`` is ``tag:NAME`` for a tag."""

    remote: str
    slug: str
    field: str
    base: Any
    ours: Any
    theirs: Any

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Held:
    """Left alone on purpose; ``hint`` is the user's way out."""

    remote: str
    slug: str
    reason: str
    hint: str
    can_resolve: bool = False
    """Whether choosing a side (`resolve`) is a way out, too."""
    unread: bool = False
    """Whether it is for want of a vendor version that is still to be merged: then there is only our side."""

    def as_json(self) -> dict[str, Any]:
        return {"remote": self.remote, "slug": self.slug, "reason": self.reason, "hint": self.hint}


@dataclass(frozen=True, slots=True)
class Halted:
    """A remote that a guard stopped until a person accepts this very plan."""

    remote: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {"remote": self.remote, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class SyncError:
    """Something that went wrong with one prompt or one remote; nothing else was stopped by it."""

    remote: str
    slug: str | None
    message: str
    retry: bool
    """Whether trying again later may help: unreachable, limiting, leased, or a write in doubt."""
    kind: str = "remote"
    hint: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "remote": self.remote,
            "slug": self.slug,
            "message": self.message,
            "retry": self.retry,
            "kind": self.kind,
            "hint": self.hint,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What sync would do. Equal plans have equal ids, whenever and wherever they were made."""

    actions: tuple[Action, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    held: tuple[Held, ...] = ()
    halted: tuple[Halted, ...] = ()
    errors: tuple[SyncError, ...] = field(default=(), compare=False)

    @property
    def plan_id(self) -> str:
        rows = sorted((action.identity() for action in self.actions), key=repr)
        return digest_of([rows, sorted(halt.remote for halt in self.halted)])[:12]

    def as_json(self) -> dict[str, Any]:
        return {
            "plan_id": self.plan_id,
            "actions": [action.as_json() for action in self.actions],
            "conflicts": [conflict.as_json() for conflict in self.conflicts],
            "held": [held.as_json() for held in self.held],
            "halted": [halted.as_json() for halted in self.halted],
        }

    def joined(self, other: Plan) -> Plan:
        return Plan(
            self.actions + other.actions,
            self.conflicts + other.conflicts,
            self.held + other.held,
            self.halted + other.halted,
            self.errors + other.errors,
        )
