"""Release labels: the deployment tags of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from promptstore.errors import UsageError, VersionNotFound
from promptstore.vendors.promptlayer.routes.catalogue import Catalogue, Catalogues, Entry
from promptstore.vendors.promptlayer.routes.checks import a_number, a_text, body_object, optional_number
from promptstore.vendors.promptlayer.routes.ids import distinct_ids
from promptstore.vendors.serving import Answer, Asked, Edition, Endpoint, Refused
from promptstore.vendors.values import Wire


class LabelRoutes:
    """The endpoints of release labels."""

    def __init__(self, catalogues: Catalogues) -> None:
        self._catalogues = catalogues
        self._twin = catalogues.twin

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            Endpoint("GET", "/prompt-templates/{key:path}/labels", self.listed),
            Endpoint("POST", "/prompts/{id}/label", self.create, writes=True),
            Endpoint("PATCH", "/prompt-labels/{id}", self.move, writes=True),
            Endpoint("DELETE", "/prompt-labels/{id}", self.delete, writes=True),
        )

    def listed(self, asked: Asked) -> Answer:
        catalogue = self._catalogues.now()
        entry = catalogue.find(asked.params["key"])
        ids = _label_ids(catalogue)
        labels = [
            {
                "prompt_version_id": catalogue.version_id(entry, edition),
                "prompt_version_number": edition.number,
                "release_label": label,
                "release_label_id": ids[(entry.slug, label)],
            }
            for label, edition in sorted(catalogue.view.tags(entry.slug).items())
            if (entry.slug, label) in ids
        ]
        return Answer(200, {"release_labels": labels})

    def create(self, asked: Asked) -> Answer:
        """Create a label; one that the prompt has already moves, as a label is unique across a prompt's versions."""
        body = body_object(asked)
        catalogue = self._catalogues.now()
        entry = catalogue.numbered(a_number(asked.params["id"], "path", "prompt_id"))
        name = a_text(body.get("name"), "name")
        return Answer(200, self._stand(entry, name, _version_asked(catalogue, entry, body)))

    def move(self, asked: Asked) -> Answer:
        catalogue = self._catalogues.now()
        slug, name = _label_of(catalogue, asked)
        entry = next(entry for entry in catalogue.entries if entry.slug == slug)
        return Answer(200, self._stand(entry, name, _version_asked(catalogue, entry, body_object(asked))))

    def delete(self, asked: Asked) -> Answer:
        self._twin.untag(*_label_of(self._catalogues.now(), asked))
        return Answer(204)

    def _stand(self, entry: Entry, name: str, edition: Edition) -> Wire:
        set_label(self._catalogues, edition, name)
        catalogue = self._catalogues.now()
        return {
            "created_at": datetime.now(UTC).isoformat(),
            "id": _label_ids(catalogue)[(entry.slug, name)],
            "name": name,
            "prompt_id": entry.id,
            "prompt_version_id": catalogue.version_id(entry, edition),
        }


def set_label(catalogues: Catalogues, edition: Edition, name: str) -> None:
    """Create or move a label. Raises Refused (400) for a name that git or the command line could mistake."""
    try:
        catalogues.twin.tag(edition, name)
    except UsageError as problem:
        raise Refused(400, f"the label {name!r} cannot be kept in this store: {problem.message}") from None


def _version_asked(catalogue: Catalogue, entry: Entry, body: Mapping[str, Any]) -> Edition:
    number = optional_number(body.get("prompt_version_number"), "body", "prompt_version_number")
    version_id = optional_number(body.get("prompt_version_id"), "body", "prompt_version_id")
    if number is None and version_id is None:
        raise Refused(400, "prompt_version_number is required")
    if number is None:
        found = [one for one in catalogue.view.editions(entry.slug) if catalogue.version_id(entry, one) == version_id]
        if not found:
            raise Refused(404, "Prompt version not found")
        return found[0]
    try:
        return catalogue.view.numbered(entry.slug, number)
    except VersionNotFound:
        raise Refused(404, "Prompt version not found") from None


def _label_ids(catalogue: Catalogue) -> dict[tuple[str, str], int]:
    """The id of every label: (slug, label) -> id."""
    prompts = {entry.slug: entry.id for entry in catalogue.entries if not entry.deleted}
    labels = sorted((slug, label) for slug, found in catalogue.view.all_tags().items() for label in found)
    ids = distinct_ids(("label", str(prompts[slug]), label) for slug, label in labels)
    return {(slug, label): ids[("label", str(prompts[slug]), label)] for slug, label in labels}


def _label_of(catalogue: Catalogue, asked: Asked) -> tuple[str, str]:
    wanted = a_number(asked.params["id"], "path", "prompt_label_id")
    for key, number in _label_ids(catalogue).items():
        if number == wanted:
            return key
    raise Refused(404, "Release label not found")
