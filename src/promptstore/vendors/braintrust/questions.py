"""What Braintrust's API reference leaves open, to be asked of the server itself."""

from __future__ import annotations

from typing import Any

from promptstore.vendors.conformance.questions import Asking, Question

_PROMPT = "/v1/prompt"
_NOBODY = "promptstore-probe-no-such"


def _missing_prompt(asking: Asking) -> str:
    return str(asking.ask("GET", f"{_PROMPT}/00000000-0000-4000-8000-000000000000").status)


def _missing_version(asking: Asking) -> str:
    answer = asking.ask("GET", f"{_PROMPT}/{asking.subject().id}", {"version": "1000000000000000000"})
    return _refused_or(answer.status, "another version")


def _missing_environment(asking: Asking) -> str:
    answer = asking.ask("GET", f"{_PROMPT}/{asking.subject().id}", {"environment": _NOBODY})
    return _refused_or(answer.status, "a version all the same")


def _version_and_environment(asking: Asking) -> str:
    head = asking.subject()
    asked = {"version": head.version, "environment": _NOBODY}
    return _refused_or(asking.ask("GET", f"{_PROMPT}/{head.id}", asked).status, "the version")


def _refused_or(status: int, otherwise: str) -> str:
    return otherwise if status == 200 else f"refused with {status}"


def _missing_project(asking: Asking) -> str:
    answer = asking.ask("GET", "/v1/project", {"project_name": _NOBODY})
    return f"{len(answer.json()['objects'])} projects" if answer.status == 200 else f"refused with {answer.status}"


def _not_modified(asking: Asking) -> str:
    path = f"{_PROMPT}/{asking.subject().id}"
    tag = asking.ask("GET", path).headers.get("etag")
    return str(asking.ask("GET", path, headers={"If-None-Match": tag}).status) if tag else "there is no ETag"


def _slash(asking: Asking) -> str:
    slug, document = asking.document("slash", "one")
    slug, document = f"{slug}/below", {**document, "slug": f"{slug}/below"}
    answer = _put(asking, slug, document)
    return "kept" if answer.get("slug") == slug else f"it becomes {answer.get('slug')!r}"


def _put(asking: Asking, slug: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer of a PUT past the client; what it made is deleted in the end."""
    project = asking.workspace.identity()
    answer: dict[str, Any] = asking.ask("PUT", _PROMPT, body={"project_id": project, **body}).json()
    asking.adopt(slug, answer["id"])
    return answer


def _left_out(asking: Asking) -> str:
    slug, document = asking.document("left-out", "one", description="What it is for.")
    _put(asking, slug, document)
    answer = _put(asking, slug, {key: document[key] for key in ("name", "slug", "prompt_data")})
    return "kept" if answer.get("description") else "cleared"


def _metadata(asking: Asking) -> str:
    slug, document = asking.document("metadata", "one")
    answer = _put(asking, slug, {**document, "metadata": {"promptstore": "probe"}})
    return "kept" if (answer.get("metadata") or {}).get("promptstore") == "probe" else "dropped"


def _unknown_key(asking: Asking) -> str:
    slug, document = asking.document("unknown-key", "one")
    answer = _put(asking, slug, {**document, "promptstore_probe": 1})
    return "kept" if "promptstore_probe" in answer else "dropped"


def _deleted_history(asking: Asking) -> str:
    made = asking.publish("deleted-history", "one")
    asking.delete(made)
    answer = asking.ask("GET", f"{_PROMPT}/{made.id}", {"version": made.version})
    return _refused_or(answer.status, "the version")


def _actions(asking: Asking) -> str:
    made = [asking.publish("actions", text) for text in ("one", "two")][-1]
    asking.workspace.versions(made.id, made.version)
    rows = [one for one in asking.exchanges if one.path.endswith("/btql")][-1].json()["data"]
    return ", ".join(sorted({str(row["audit_data"]["action"]) for row in rows}))


def _pages(asking: Asking) -> str:
    answer = asking.ask("GET", _PROMPT, {"limit": 1}).json()
    return f"{len(answer['objects'])}"


QUESTIONS = (
    Question("missing-prompt", "With which status is a prompt answered that is not there?", "400", _missing_prompt),
    Question("missing-version", "What is answered for a version older than the first?", "", _missing_version),
    Question("missing-environment", "What is answered for an environment that is not there?", "", _missing_environment),
    Question(
        "version-and-environment", "What is answered for a version and an environment?", "", _version_and_environment
    ),
    Question("missing-project", "What is answered for a project that is not there?", "0 projects", _missing_project),
    Question("not-modified", "With which status is a read answered that names the ETag?", "", _not_modified),
    Question("page-of-one", "How many prompts has a page of one?", "1", _pages),
    Question("slash", "What becomes of a slug with a slash?", "kept", _slash, writes=True),
    Question("left-out", "What becomes of a field that a PUT leaves out?", "", _left_out, writes=True),
    Question("metadata", "What becomes of metadata in a PUT?", "kept", _metadata, writes=True),
    Question("unknown-key", "What becomes of an unknown key in a PUT?", "", _unknown_key, writes=True),
    Question(
        "deleted-history", "What is answered for a version of a deleted prompt?", "", _deleted_history, writes=True
    ),
    Question("actions", "Which actions does the audit log name for writes?", "upsert", _actions, writes=True),
)
