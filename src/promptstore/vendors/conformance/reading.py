"""Cases that only look: safe anywhere, on prompts of our own or, where there are none, on what is there."""

from __future__ import annotations

from collections.abc import Sequence

from promptstore.errors import AuthError, BadResponse, RemoteMissing, RemoteRejected
from promptstore.model.slug import slugify
from promptstore.vendors.base import RemoteHead
from promptstore.vendors.conformance.case import Case
from promptstore.vendors.conformance.ground import Ground, same
from promptstore.vendors.conformance.verdicts import NotApplicable, expect

WRONG_KEY = "promptstore-probe-wrong-key-0123456789"
_LOOKED_AT = 3


def _connect(ground: Ground) -> None:
    ground.workspace.list()
    once, again = ground.workspace.identity(), ground.workspace.identity()
    expect(once == again, f"the identity changed from {once!r} to {again!r}")


def _wrong_key(ground: Ground) -> None:
    workspace = ground.connect(WRONG_KEY)
    try:
        workspace.list()
    except AuthError as problem:
        shown = f"{problem} {problem.hint} {problem!r}"
        expect(WRONG_KEY not in shown, f"the key stands in the error: {problem.message}")
        return
    finally:
        workspace.close()
    if not ground.vendor.key_required:
        raise NotApplicable("the server lets everybody in")
    expect(False, "a wrong key was let in")


def _listed(heads: Sequence[RemoteHead]) -> set[tuple[str, str, str, str]]:
    return {(head.id, head.name, head.version, head.stamp) for head in heads}


def _listing(ground: Ground) -> None:
    once, again = ground.workspace.list(), ground.workspace.list()
    expect(len({head.id for head in once}) == len(once), "a listing shows one id twice")
    expect(all(head.id and head.name for head in once), "a listing shows a prompt without an id or a name")
    expect(_listed(once) == _listed(again), "two listings in a row, with nothing between them, differ")


def _read(ground: Ground) -> None:
    head = ground.subject()
    found = ground.workspace.read(head.id)
    expect(found.id == head.id, f"asked for {head.id}, got {found.id}")
    expect(found.name == head.name, f"listed as {head.name!r}, read as {found.name!r}")
    expect(found.version == head.version, f"listed with version {head.version}, read with {found.version}")
    expect(found.stamp == head.stamp, "the stamp of the listing is not the one of what is read")


def _read_version(ground: Ground) -> None:
    head = ground.subject()
    newest, asked = ground.workspace.read(head.id), ground.workspace.read(head.id, head.version)
    expect(asked.version == head.version, f"asked for version {head.version}, got {asked.version}")
    expect(same(newest.document, asked.document), "the newest version reads otherwise when it is asked for by name")


def _normal(ground: Ground) -> None:
    head, lens = ground.subject(), ground.vendor.lens
    document = ground.workspace.read(head.id).document
    expect(same(lens.normalise(document), document), "what is read is not in normal form")
    slug = slugify(head.name, head.folder)
    lifted = lens.lift(document, slug, None)
    expect(same(lens.project(lifted, slug), document), "the document does not come back from a prompt file the same")
    expect(lens.key(document) == head.name, f"listed as {head.name!r}, its key is {lens.key(document)!r}")


def _history(ground: Ground) -> None:
    head, workspace, order = ground.subject(), ground.workspace, ground.vendor.version_key
    found = list(workspace.versions(head.id, head.version))
    expect(head.version in found, f"the newest version {head.version} is not among the versions")
    expect(found == sorted(found, key=order), f"the versions are not in order: {found[:20]}")
    expect(found[-1] == head.version, f"the versions go on beyond the newest one: {found[-1]}")
    later = list(workspace.versions(head.id, head.version, after=found[0]))
    expect(later == found[1:], f"after {found[0]} come {found[1:][:20]}, but asked so they are {later[:20]}")
    for version in found[-_LOOKED_AT:]:
        expect(workspace.read(head.id, version).version == version, f"version {version} is answered by another one")


def _no_such_version(ground: Ground) -> None:
    head = ground.subject()
    wanted = f"{head.version}9999"
    try:
        found = ground.workspace.read(head.id, wanted)
    except (RemoteMissing, RemoteRejected, BadResponse):
        return
    expect(False, f"asked for version {wanted}, which is not there, and got {found.version}")


def _no_such_prompt(ground: Ground) -> None:
    stranger = ground.stranger(ground.subject().id)
    try:
        ground.workspace.read(stranger)
    except RemoteMissing:
        return
    except RemoteRejected as problem:
        expect(False, f"a prompt that is not there is refused in words that do not prove it: {problem.message}")
    expect(False, f"asked for the prompt {stranger}, which is not there, and got one")


def _free(ground: Ground) -> None:
    slug = ground.slug("free")
    found = ground.workspace.find(slug, ground.project(ground.prompt("free"), slug))
    expect(found is None, f"a name that nobody has is found to be taken: {found}")


def _taken(ground: Ground) -> None:
    head = ground.subject()
    document = ground.workspace.read(head.id).document
    found = ground.workspace.find(slugify(head.name, head.folder), document)
    expect(found is not None and found.id == head.id, f"the name of {head.id} is not found to be taken: {found}")


def _tags(ground: Ground) -> None:
    head, workspace = ground.subject(), ground.workspace
    found = workspace.tags((), [head.id])
    expect(head.id in found.swept, "the prompt's tags were asked for, and are not known")
    for tag, version in found.tags.get(head.id, {}).items():
        read = workspace.read(head.id, version)
        expect(read.version == version, f"the tag {tag!r} names version {version}, which reads as {read.version}")


READING = (
    Case("connect", "the key opens the workspace, which says who it is in one way", _connect),
    Case("wrong-key", "a wrong key is told as such, and never shown", _wrong_key),
    Case("list", "a listing is complete, each prompt once, and the same again", _listing),
    Case("read", "the newest version reads as the listing says", _read),
    Case("read-version", "a version reads the same by its name", _read_version),
    Case("normal-form", "a document is in normal form, and is the same after a prompt file", _normal),
    Case("history", "the versions are given in order up to the newest, and can be read", _history, needs=("history",)),
    Case("no-such-version", "a version that is not there is never answered by another one", _no_such_version),
    Case("no-such-prompt", "a prompt that is not there is proven missing", _no_such_prompt),
    Case("free-name", "a name that nobody has is free", _free),
    Case("taken-name", "a name that is there is taken, by that prompt", _taken),
    Case("read-tags", "all tags of a prompt are known, and name versions of it", _tags, needs=("tags",)),
)
