"""L: the committed prompts that count as ours, with the tags on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from promptstore.errors import ConfigError
from promptstore.store.sharing import Names
from promptstore.store.store import Store
from promptstore.store.versions import Numbering, parse_log
from promptstore.sync.agreement import Agreed
from promptstore.sync.trees import BaseEntry, LocalEntry, LocalTag


@dataclass(frozen=True, slots=True)
class Local:
    """L at one moment. ``ref`` is what was read: the synced branch, or its upstream where that is what counts."""

    ref: str
    commit: str | None
    branch_tip: str | None
    prompts: Mapping[str, str]
    numbering: Numbering
    tags: Mapping[str, Mapping[str, str]]


def published_ref(store: Store) -> str:
    """The ref whose prompts are ours to publish: with an upstream, only what was pushed or merged there.

    A clone without the branch (a CI job's) publishes what stands for it there. Raises ConfigError where the upstream
    is asked for and there is none.
    """
    if store.config.git.publish == "branch" and not store.config.git.push:
        return store.tip_ref
    upstream = _upstream(store)
    if store.config.git.push and Names(store.config.git.remote).branch(upstream or "") is None:
        raise no_upstream(store)
    if upstream is None and store.config.git.publish == "upstream":
        raise ConfigError(
            f"[git] publish is 'upstream', but '{store.config.branch}' has no upstream",
            hint=f"run `git branch --set-upstream-to=origin/{store.config.branch} {store.config.branch}`",
        )
    return upstream or store.tip_ref


def no_upstream(store: Store) -> ConfigError:
    """What is asked for where pulled edits are to be pushed and nobody knows where to."""
    branch, remote = store.config.branch, store.config.git.remote or "origin"
    return ConfigError(
        f"[git] push is true, but '{branch}' follows no branch of '{remote}'", hint=f"git push -u {remote} {branch}"
    )


def _upstream(store: Store) -> str | None:
    """The ref that the branch follows. Raises ConfigError where that is not there: then nobody has seen any of it."""
    name = store.git.revisions.upstream(store.branch)
    if name and store.refs.read(name) is None:
        raise ConfigError(
            f"'{store.config.branch}' follows '{short(name)}', which is not there: nothing counts as pushed",
            hint=f"git push -u {store.config.git.remote or 'origin'} {store.config.branch}",
        )
    return name


def read_local(store: Store, ref: str | None = None) -> Local:
    """L as it stands now. ``ref`` spares asking again which ref is L."""
    ref = ref or published_ref(store)
    commit = store.refs.read(ref)
    branch_tip = store.refs.read(store.branch)
    return Local(
        ref,
        commit,
        branch_tip,
        store.prompts_at(commit),
        store.history.numbering(commit),
        store.locator.all_tag_commits(branch_tip),
    )


def local_entries(store: Store, local: Local) -> dict[str, LocalEntry]:
    """L as the planner sees it."""
    _, broken = store.all_facts(local.commit)
    return {
        slug: LocalEntry(
            blob,
            _tags_of(store, local, slug),
            broken[slug].message if slug in broken else None,
        )
        for slug, blob in local.prompts.items()
    }


def _tags_of(store: Store, local: Local, slug: str) -> dict[str, LocalTag]:
    found = {}
    for tag, commit in local.tags.get(slug, {}).items():
        place = store.locator.place(slug, commit, local.numbering)
        if place is not None:
            found[tag] = LocalTag(commit, place.blob, place.version)
    return found


def waiting_texts(store: Store, local: Local) -> dict[str, str]:
    """Slugs that nothing may be pulled over, and why: the work-tree file has uncommitted edits, or the text on the
    branch is not L's yet. Where pulls do not come to the branch, nothing is in their way."""
    if not comes_to_the_branch(store):
        return {}
    return dict.fromkeys(uncommitted(store), "its file has uncommitted edits") | _unpublished(store, local)


def comes_to_the_branch(store: Store) -> bool:
    """Whether what is pulled is written to the branch here, and to the files that are checked out of it."""
    return not store.config.git.push and store.config.sync.integrate != "branch"


def uncommitted(store: Store) -> set[str]:
    """Prompts whose file in a worktree on the branch is not what the branch says."""
    paths = store.git.edits.uncommitted(store.branch, store.layout.folder)
    return {slug for path in paths if (slug := store.layout.slug(path))}


def _unpublished(store: Store, local: Local) -> dict[str, str]:
    """Prompts whose text on the local branch is not L's (its upstream's), and why. A branch that is only behind keeps
    nothing waiting: what is pulled goes on from L there."""
    if local.branch_tip is None or local.branch_tip == local.commit:
        return {}
    slugs = _differing(store, local.branch_tip, local.commit)
    if not slugs or is_behind(store, local):
        return {}
    own = _own(store, local.branch_tip, local.commit, slugs)
    branch = store.config.branch
    behind = dict.fromkeys(slugs, f"{branch} here has not got what {short(local.ref)} says yet (`git pull`)")
    return behind | dict.fromkeys(own, f"its text on {branch} is not pushed yet")


def unpushed(store: Store) -> set[str]:
    """Prompts that say on the local branch what L (its upstream) does not: they are published once they are pushed.
    Raises ConfigError as `published_ref` does."""
    tip, commit = store.refs.read(store.branch), store.refs.read(published_ref(store))
    if tip is None or tip == commit or (commit and store.locator.is_ancestor(tip, commit)):
        return set()
    return _own(store, tip, commit, _differing(store, tip, commit))


def _differing(store: Store, tip: str, commit: str | None) -> set[str]:
    here, there = store.prompts_at(tip), store.prompts_at(commit)
    return {slug for slug in {*here, *there} if here.get(slug) != there.get(slug)}


def _own(store: Store, tip: str, commit: str | None, slugs: set[str]) -> set[str]:
    """Those that differ because the branch went on, and not only because the other side did."""
    common = store.git.revisions.merge_base(tip, commit) if commit else None
    here, start = store.prompts_at(tip), store.prompts_at(common)
    return {slug for slug in slugs if common is None or here.get(slug) != start.get(slug)}


def is_behind(store: Store, local: Local) -> bool:
    """Whether the branch has nothing of its own: everything on it is in L."""
    tip, ours = local.branch_tip, local.commit
    return tip is not None and ours is not None and tip != ours and store.locator.is_ancestor(tip, ours)


def short(ref: str) -> str:
    """A ref as people call it."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")


def base_entries(
    store: Store, local: Local, agreed: Mapping[str, Agreed], witnessed: set[tuple[str, str]]
) -> dict[str, BaseEntry]:
    """B as the planner sees it.

    A base counts as seen only where L's own history holds the text that took it in. An amended or rebased commit of
    this clone's own making counts too, but not a text from before it (a reset).
    """
    proofs = {slug: a.link.proof or a.blob for slug, a in agreed.items()}
    open_questions = {slug: proof for slug, proof in proofs.items() if local.prompts.get(slug) not in (proof,)}
    seen = _reachable(store, local, open_questions)
    seen |= {
        slug for slug, proof in open_questions.items() if (slug, proof) in witnessed and _newer(local, slug, proof)
    }
    seen |= _said(store, local, {slug: proof for slug, proof in open_questions.items() if slug not in seen}, agreed)
    return {slug: BaseEntry(a.blob, a.link, slug not in open_questions or slug in seen) for slug, a in agreed.items()}


def _newer(local: Local, slug: str, proof: str) -> bool:
    """Whether L's text came up only after ``proof``: one that was there before is no edit, however it came back."""
    numbers = [(version.blob, version.number) for version in local.numbering.of(slug)]
    now = min((number for blob, number in numbers if blob == local.prompts.get(slug)), default=0)
    return now > max((number for blob, number in numbers if blob == proof), default=0)


def _said(store: Store, local: Local, blobs: Mapping[str, str], agreed: Mapping[str, Agreed]) -> set[str]:
    """The slugs whose blob L's history has said without having numbered it: one that was rewritten has it in another
    commit, and one that a merge brought in beside the first-parent line was perhaps never numbered at all.

    It may have said it under an older name, be it one that only the link knows: another clone saw the rename."""
    if not blobs or local.commit is None:
        return set()
    log = store.git.revisions.everything(local.commit, store.layout.folder)
    said = {(slug, blob) for step in parse_log(log, store.layout) for slug, blob in step.blobs.items()}
    names_of = local.numbering.names_of
    names = {slug: {*names_of(slug), *names_of(agreed[slug].link.called or slug)} for slug in blobs}
    return {slug for slug, blob in blobs.items() if any((name, blob) in said for name in names[slug])}


def _reachable(store: Store, local: Local, blobs: Mapping[str, str]) -> set[str]:
    """The slugs whose blob stands in L's history."""
    commits = {
        slug: [version.commit for version in local.numbering.of(slug) if version.blob == blob]
        for slug, blob in blobs.items()
    }
    every = sorted({commit for found in commits.values() for commit in found})
    outside = store.git.revisions.outside(every, local.commit) if local.commit and every else set(every)
    return {slug for slug, found in commits.items() if any(commit not in outside for commit in found)}


def last_text(store: Store, local: Local, slug: str) -> str | None:
    """The newest text of a prompt that stands in L's own history, also where it was deleted since."""
    versions = local.numbering.of(slug)
    if local.commit is None or not versions:
        return None
    outside = store.git.revisions.outside([version.commit for version in versions], local.commit)
    return next((version.blob for version in reversed(versions) if version.commit not in outside), None)
