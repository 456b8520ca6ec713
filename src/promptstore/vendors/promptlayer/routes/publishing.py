"""Publishing: a template or a new version of one, whole or as a patch of an earlier version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from promptstore.errors import BadResponse
from promptstore.vendors.base import Document
from promptstore.vendors.promptlayer.lens.checks import check_document
from promptstore.vendors.promptlayer.lens.normal import INTENT_KEY, normalise
from promptstore.vendors.promptlayer.publishing import commit_message
from promptstore.vendors.promptlayer.routes import answers
from promptstore.vendors.promptlayer.routes.catalogue import Catalogue, Catalogues, Entry
from promptstore.vendors.promptlayer.routes.checks import (
    MAX_MESSAGE,
    MAX_NAME,
    a_text,
    an_object,
    bad_template,
    body_object,
    optional_number,
    optional_text,
    texts,
    unprocessable,
)
from promptstore.vendors.promptlayer.routes.folders import Folders
from promptstore.vendors.promptlayer.routes.labels import set_label
from promptstore.vendors.promptlayer.routes.patching import patched
from promptstore.vendors.promptlayer.routes.reading import edition_at, snippet
from promptstore.vendors.promptlayer.routes.snippets import Snippets
from promptstore.vendors.serving import Answer, Asked, Endpoint, Refused
from promptstore.vendors.values import Wire

_KINDS = ("chat", "completion")
_BAD_DOCUMENT = "PromptLayer's answer makes no sense: "


class PublishingRoutes:
    """The endpoints that make versions."""

    def __init__(self, catalogues: Catalogues, folders: Folders) -> None:
        self._catalogues = catalogues
        self._folders = folders
        self._twin = catalogues.twin

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            Endpoint("POST", "/rest/prompt-templates", self.publish, writes=True),
            Endpoint("PATCH", "/rest/prompt-templates/{key:path}", self.patch, writes=True),
        )

    def publish(self, asked: Asked) -> Answer:
        """A publish always appends a version; one under a deleted prompt's name brings that prompt back."""
        body = body_object(asked)
        head = an_object(body.get("prompt_template"), "prompt_template")
        version = an_object(body.get("prompt_version"), "prompt_version")
        name = _name(head)
        catalogue = self._catalogues.now()
        folder = self._folders.by_id(
            catalogue, optional_number(head.get("folder_id"), "body", "prompt_template", "folder_id")
        )
        document = {
            "prompt_name": name,
            "tags": self._tags(catalogue, name, head),
            "prompt_template": _template(version),
            "metadata": dict(_metadata(version)),
        }
        message = optional_text(version.get("commit_message"), "prompt_version", "commit_message", most=MAX_MESSAGE)
        labels = None if body.get("release_labels") is None else texts(body["release_labels"], "release_labels")
        return self._made(document, message, labels, folder)

    def patch(self, asked: Asked) -> Answer:
        """A new version that differs from an earlier one (the newest by default) only by what the body says."""
        body = body_object(asked)
        catalogue = self._catalogues.now()
        entry = catalogue.find(asked.params["key"])
        version = optional_number(body.get("version"), "body", "version")
        label = optional_text(body.get("label"), "label")
        if version is not None and label is not None:
            raise Refused(400, "version and label are mutually exclusive")
        base = catalogue.document(entry, edition_at(catalogue, entry, version, label))
        message = optional_text(body.get("commit_message"), "commit_message", most=MAX_MESSAGE)
        labels = None if body.get("release_labels") is None else texts(body["release_labels"], "release_labels")
        return self._made({**base, **patched(base, body)}, message, labels, ())

    def _made(
        self, raw: Mapping[str, Any], message: str | None, labels: list[str] | None, folder: tuple[str, ...]
    ) -> Answer:
        document = _checked(raw)
        self._check_snippets(document)
        name = document["prompt_name"]
        edition = self._twin.publish(
            lambda view: _slug_for(Catalogue(view), name, folder),
            document,
            message or f"Publish {name}",
            _notes(raw, message),
        )
        for label in labels or ():
            set_label(self._catalogues, edition, label)
        catalogue = self._catalogues.now()
        entry = _entry_of(catalogue, edition.slug)
        shown = answers.described(catalogue, entry, edition, catalogue.view.stamps([edition])[0])
        return Answer(201, answers.published(shown, edition, catalogue.version_id(entry, edition), labels))

    def _tags(self, catalogue: Catalogue, name: str, head: Mapping[str, Any]) -> list[str]:
        """The keywords sent; those that stand where the request says nothing of them."""
        known = catalogue.named(name)
        if "tags" in head or known is None or known.problem is not None:
            return texts(head.get("tags"), "prompt_template", "tags")
        standing = catalogue.document(known, catalogue.view.newest(known.slug))
        return list(standing.get("tags", []))

    def _check_snippets(self, document: Document) -> None:
        catalogue = self._catalogues.now()
        snippets = Snippets(lambda name, kind, which: snippet(catalogue, name, kind, which))
        snippets.filled(document["prompt_template"])
        if snippets.missing:
            raise Refused(422, f"Snippets not found: {', '.join(snippets.missing)}")


def _slug_for(catalogue: Catalogue, name: str, folder: tuple[str, ...]) -> str:
    known = catalogue.named(name) or catalogue.once_named(name)
    if known is None:
        return catalogue.view.fresh(name, "/".join(folder))
    if known.problem is not None:
        raise Refused(409, f"the file of '{known.slug}' must be mended first: {known.problem.message}")
    return known.slug


def _entry_of(catalogue: Catalogue, slug: str) -> Entry:
    return next(entry for entry in catalogue.entries if entry.slug == slug)


def _name(head: Mapping[str, Any]) -> str:
    name = a_text(head.get("prompt_name"), "prompt_template", "prompt_name", most=MAX_NAME)
    if name in {".", ".."}:
        raise unprocessable(["body", "prompt_template", "prompt_name"], "no URL can hold this name")
    return name


def _template(version: Mapping[str, Any]) -> Wire:
    template = an_object(version.get("prompt_template"), "prompt_version", "prompt_template")
    if "type" not in template:
        raise bad_template("Unable to extract tag using discriminator 'type'", "union_tag_not_found")
    kind = template["type"]
    if kind not in _KINDS:
        expected = " ".join(f"'{known}'," for known in _KINDS).rstrip(",")
        words = f"Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
        raise bad_template(words, "union_tag_invalid")
    required = "messages" if kind == "chat" else "content"
    if required not in template:
        raise bad_template("Field required", "missing", kind, required)
    return dict(template)


def _metadata(version: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = version.get("metadata")
    return {} if metadata is None else an_object(metadata, "prompt_version", "metadata")


def _checked(raw: Mapping[str, Any]) -> Document:
    """The normal form of what was sent. Raises Refused (400) for what is no template."""
    document = normalise(raw)
    try:
        check_document(document)
    except BadResponse as problem:
        raise bad_template(problem.message.removeprefix(_BAD_DOCUMENT), "value_error") from None
    return document


def _notes(raw: Mapping[str, Any], message: str | None) -> Wire:
    """What a prompt file has no place for and a reader of the version expects back: the mark by which a publisher
    finds its own version again, and a commit message that git would not keep as it is."""
    notes: Wire = {}
    if INTENT_KEY in raw.get("metadata", {}):
        notes[answers.METADATA_NOTE] = {INTENT_KEY: raw["metadata"][INTENT_KEY]}
    if message is None or commit_message(message) != message:
        notes[answers.MESSAGE_NOTE] = message
    return notes
