"""The engine as the command line runs it: remotes opened with this machine's keys, clocks and files of the clone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from promptstore.cli.app import App
from promptstore.errors import GitError
from promptstore.store.config import RemoteConfig, glob_match
from promptstore.store.store import Store
from promptstore.sync.actions import SyncError
from promptstore.sync.credentials import Keys, Trust
from promptstore.sync.engine import Engine
from promptstore.sync.engine_lock import EngineLock
from promptstore.sync.journal import Journal
from promptstore.sync.policy import Policy
from promptstore.sync.remotes import Opener, chosen, network_opener, open_sessions
from promptstore.sync.session import Session
from promptstore.sync.team.joining import team_of
from promptstore.sync.team.lead import Alone, Team
from promptstore.sync.witness import Witness

_PATIENCE = 5.0
"""Seconds for which a command waits for another sync in this clone: a daemon's pass is over by then."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What the options of pull, push, sync and plan say."""

    pull: bool = True
    push: bool = True
    only: str | None = None
    allow_delete: bool = False
    republish: bool = False


@dataclass
class Assembled:
    """An engine and its sessions."""

    engine: Engine
    sessions: list[Session]
    team: Team
    unsent: list[SyncError] = field(default_factory=list)
    """What went wrong when other clones were told, known after `close`."""

    def errors(self) -> list[SyncError]:
        return [error for session in self.sessions for error in session.errors] + self.unsent

    def close(self) -> None:
        """Tell other clones what came of the run, and hang up."""
        self.unsent = self.team.end(self.sessions)
        for session in self.sessions:
            if session.workspace is not None:
                session.workspace.close()


def assemble(
    app: App,
    store: Store,
    names: Iterable[str] = (),
    flags: Flags | None = None,
    *,
    online: bool = True,
    opener: Opener | None = None,
    keep: bool = False,
    ref: str | None = None,
) -> Assembled:
    """An engine over the named remotes (all by default). Offline it works from what was last seen; ``opener`` opens
    workspaces in another way than over the network, ``keep`` holds leases beyond the run, ``ref`` is one to plan
    for instead of the synced branch. Raises GitError in a shallow clone: what was agreed on hangs on history."""
    remotes = chosen(store, names)
    if online and store.history.shallow:
        raise GitError(
            "this clone is shallow: what was agreed on with a remote cannot be told from an edit without history",
            hint="git fetch --unshallow (in GitHub Actions: fetch-depth: 0; in GitLab: GIT_DEPTH: 0)",
        )
    opener = opener or (network_opener(machine_keys(app)) if online else None)
    sessions = open_sessions(store, remotes, opener)
    journal = Journal(state_file(store, "journal"))
    team = team_of(store, journal, seconds=time.time, note=app.note, keep=keep) if opener else Alone()
    team.begin(sessions)
    engine = Engine(
        store,
        sessions,
        journal,
        Witness(state_file(store, "witness.json")),
        lambda session: policy_for(store, session.config, flags or Flags()),
        seconds=time.time,
        lead=team,
        ref=store.full_ref(ref) if ref else None,
        progress=app.detail,
    )
    return Assembled(engine, sessions, team)


def policy_for(store: Store, config: RemoteConfig, flags: Flags) -> Policy:
    """The planner's settings for one remote."""

    def covers(slug: str) -> bool:
        return config.covers(slug) and (flags.only is None or glob_match(slug, flags.only))

    return Policy(
        pull=flags.pull,
        push=flags.push,
        allow_delete=flags.allow_delete or store.config.sync.delete_remote,
        republish=flags.republish,
        covers=covers,
        covers_tag=config.covers_tag,
        max_delete=store.config.sync.max_delete,
    )


def state_file(store: Store, name: str) -> str:
    """A file of the clone's own state, below ``.git/promptstore``."""
    return os.path.join(store.repository.state_dir, name)


def engine_lock(store: Store) -> EngineLock:
    return EngineLock(state_file(store, "lock"), patience=_PATIENCE)


def machine_keys(app: App) -> Keys:
    return Keys(app.environ, machine_trust(app), keyring_key)


def machine_trust(app: App) -> Trust:
    """Trust is kept with the user's own config, outside every repository."""
    from platformdirs import user_config_dir

    return Trust(os.path.join(user_config_dir("promptstore"), "trust"), app.environ)


def keyring_key(name: str) -> str | None:
    """A key from the OS keyring; None where there is no keyring."""
    import keyring
    from keyring.errors import KeyringError

    from promptstore.sync.credentials import SERVICE

    try:
        return keyring.get_password(SERVICE, name)
    except KeyringError:
        return None
