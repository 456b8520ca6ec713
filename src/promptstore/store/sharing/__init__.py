"""What clones share through the git remote: tags, version numbers, what was agreed with vendors."""

from promptstore.store.sharing.fetching import ensure_refspecs, fetch_refs, fetch_shared, git_remotes, lacks_refspecs
from promptstore.store.sharing.names import Names
from promptstore.store.sharing.probing import probe
from promptstore.store.sharing.sending import Sent, push_refs, send_shared
from promptstore.store.sharing.tags import Shared, merge_tags

__all__ = [
    "Names",
    "Sent",
    "Shared",
    "ensure_refspecs",
    "fetch_refs",
    "fetch_shared",
    "git_remotes",
    "lacks_refspecs",
    "merge_tags",
    "probe",
    "push_refs",
    "send_shared",
]
