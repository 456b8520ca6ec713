"""What Basalt's API reference leaves open, to be asked of the server itself. All of them only look."""

from __future__ import annotations

from promptstore.vendors.basalt import wire
from promptstore.vendors.basalt.versions import version_key
from promptstore.vendors.conformance.questions import Asking, Question
from promptstore.vendors.conformance.recorder import Exchange
from promptstore.vendors.conformance.verdicts import NotApplicable

_NOBODY = "promptstore-probe-no-such"


def _get(asking: Asking, **asked: str) -> Exchange:
    return asking.ask("GET", wire.path_of(asking.subject().id), asked)


def _version(answer: Exchange) -> str:
    version: str = answer.json()["prompt"]["version"]
    return version


def _default(asking: Asking) -> str:
    given, latest, production = _get(asking), _get(asking, tag="latest"), _get(asking, tag="production")
    if production.status == 200 and _version(production) == _version(latest):
        raise NotApplicable("production and latest are the same version of the prompt that was looked at")
    if production.status == 200:
        return "production" if _version(given) == _version(production) else "latest"
    return f"without production: {'latest' if given.status == 200 else f'refused with {given.status}'}"


def _missing_version(asking: Asking) -> str:
    return _refused(_get(asking, version=_NOBODY))


def _missing_tag(asking: Asking) -> str:
    return _refused(_get(asking, tag=_NOBODY))


def _refused(answer: Exchange) -> str:
    if answer.status != 200:
        return f"refused with {answer.status}"
    return "another version" + (" with a warning" if answer.json().get("warning") else "")


def _both(asking: Asking) -> str:
    head = asking.subject()
    other = next(iter(asking.workspace.versions(head.id, head.version)))
    if other == head.version:
        raise NotApplicable("the prompt that was looked at has one version only")
    return "the version" if _version(_get(asking, version=other, tag="latest")) == other else "the tag"


def _told_tag(asking: Asking) -> str:
    tag = _get(asking, version=asking.subject().version).json()["prompt"].get("tag")
    return "none" if tag is None else "an empty text" if tag == "" else "a tag of it"


def _order(asking: Asking) -> str:
    rows = asking.ask("GET", "/prompts").json()["prompts"]
    known = [row["availableVersions"] for row in rows if len(row["availableVersions"]) > 1]
    if not known:
        raise NotApplicable("no prompt has more than one version")
    upward = [versions == sorted(versions, key=version_key) for versions in known]
    downward = [versions == sorted(versions, key=version_key, reverse=True) for versions in known]
    return "oldest first" if all(upward) else "newest first" if all(downward) else "in no order that we know"


def _form(asking: Asking) -> str:
    rows = asking.ask("GET", "/prompts").json()["prompts"]
    versions = {version for row in rows for version in row["availableVersions"]}
    if not versions:
        raise NotApplicable("no prompt has a version")
    counted = {version.count(".") for version in versions if version.replace(".", "").isdigit()}
    odd = sum(not version.replace(".", "").isdigit() for version in versions)
    return "; ".join([f"numbers with {dots} dots" for dots in sorted(counted)] + ([f"{odd} others"] if odd else []))


QUESTIONS = (
    Question("default", "Which version is given when none is asked for?", "", _default),
    Question("missing-version", "What is answered for a version that is not there?", "", _missing_version),
    Question("missing-tag", "What is answered for a tag that is not there?", "", _missing_tag),
    Question("version-and-tag", "What is answered for a version and a tag?", "", _both),
    Question("told-tag", "Which tag does a version say it has?", "", _told_tag),
    Question("order", "In which order does the listing give versions?", "", _order),
    Question("form", "Which form do versions have?", "", _form),
)
