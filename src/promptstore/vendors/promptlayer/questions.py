"""What PromptLayer's API reference leaves open, to be asked of the server itself."""

from __future__ import annotations

from typing import Any

from promptstore.vendors.conformance.questions import Asking, Question
from promptstore.vendors.promptlayer.publishing import publish_body

_PUBLISH = "/rest/prompt-templates"
_LIST = "/prompt-templates"
_FAR = 999_999_999


def _publish_status(asking: Asking) -> str:
    asking.publish("publish-status", "one")
    return str([one.status for one in asking.exchanges if one.method == "POST" and one.path.endswith(_PUBLISH)][-1])


def _missing_prompt(asking: Asking) -> str:
    return str(asking.ask("GET", f"{_LIST}/{_FAR}").status)


def _missing_version(asking: Asking) -> str:
    return str(asking.ask("GET", f"{_LIST}/{asking.subject().id}", {"version": _FAR}).status)


def _missing_label(asking: Asking) -> str:
    answer = asking.ask("GET", _LIST, {"label": "promptstore-probe-no-such-label"})
    return f"{len(answer.json()['items'])} prompts" if answer.status == 200 else str(answer.status)


def _version_and_label(asking: Asking) -> str:
    head = asking.subject()
    return str(asking.ask("GET", f"{_LIST}/{head.id}", {"version": head.version, "label": "any"}).status)


def _page_of_100(asking: Asking) -> str:
    return str(asking.ask("GET", _LIST, {"per_page": 100}).json()["per_page"])


def _page_limit(asking: Asking) -> str:
    answer = asking.ask("GET", _LIST, {"per_page": 100_000})
    return str(answer.json()["per_page"]) if answer.status == 200 else f"refused with {answer.status}"


def _after_the_last_page(asking: Asking) -> str:
    answer = asking.ask("GET", _LIST, {"page": 100_000, "per_page": 100})
    return f"{len(answer.json()['items'])} prompts" if answer.status == 200 else str(answer.status)


def _long_message(asking: Asking) -> str:
    slug, document = asking.document("long-message", "one")
    body = publish_body(document, "", "", None)
    body["prompt_version"]["commit_message"] = "m" * 73
    return _published(asking, slug, body)


def _published(asking: Asking, slug: str, body: dict[str, Any]) -> str:
    answer = asking.ask("POST", _PUBLISH, body=body)
    if answer.status >= 300:
        return f"refused with {answer.status}"
    asking.adopt(slug, str(answer.json()["id"]))
    return "taken"


def _label_twice(asking: Asking) -> str:
    made = [asking.publish("label-twice", text) for text in ("one", "two")]
    statuses = [
        asking.ask(
            "POST",
            f"/prompts/{one.id}/label",
            body={"prompt_version_number": int(one.version), "name": "promptstore-probe"},
        ).status
        for one in made
    ]
    if statuses[1] >= 300:
        return f"refused with {statuses[1]}"
    labels = asking.ask("GET", f"{_LIST}/{made[0].id}/labels").json()["release_labels"]
    return "it moves" if len(labels) == 1 else f"{len(labels)} labels"


def _tags(asking: Asking) -> str:
    asking.publish("tags", "one", tags=("a", "b"))
    made = asking.publish("tags", "two", tags=("b",))
    found = asking.workspace.read(made.id).document.get("tags", [])
    return "they are replaced" if found == ["b"] else f"they become {found}"


def _cached(asking: Asking) -> str:
    path = f"{_LIST}/{asking.publish('cached', 'one').id}"
    asking.ask("GET", path, headers={"Cache-Control": "max-age=3600"})
    made = asking.publish("cached", "two")
    found = asking.ask("GET", path, headers={"Cache-Control": "max-age=3600"}).json()
    return "the new version" if str(found["version"]) == made.version else "the old version"


def _variables(asking: Asking) -> str:
    slug, document = asking.document("variables", "no variable at all")
    body = publish_body(document, "", "", None)
    body["prompt_version"]["prompt_template"]["input_variables"] = ["promptstore_probe"]
    _published(asking, slug, body)
    found = asking.exchanges[-1].json()
    answer = asking.ask("GET", f"{_LIST}/{found['id']}", {"resolve_snippets": "false"}).json()
    kept = answer["prompt_template"].get("input_variables")
    return "kept as sent" if kept == ["promptstore_probe"] else "worked out anew"


QUESTIONS = (
    Question("publish-status", "With which status is a publish answered?", "201", _publish_status, writes=True),
    Question("missing-prompt", "With which status is a prompt answered that is not there?", "404", _missing_prompt),
    Question("missing-version", "With which status is a version answered that is not there?", "404", _missing_version),
    Question("missing-label", "What does a listing give for a label that is nowhere?", "", _missing_label),
    Question(
        "version-and-label", "With which status are a version and a label together answered?", "", _version_and_label
    ),
    Question("page-of-100", "How large is a page when 100 are asked for?", "100", _page_of_100),
    Question("page-limit", "How large is a page at most?", "", _page_limit),
    Question("after-last-page", "What is behind the last page?", "", _after_the_last_page),
    Question("long-message", "What becomes of a commit message of 73 characters?", "", _long_message, writes=True),
    Question("label-twice", "What does creating a label do that is there already?", "", _label_twice, writes=True),
    Question("tags", "What does a publish do to the tags of the prompt?", "they are replaced", _tags, writes=True),
    Question("cached", "What does a read that may be cached give after a publish?", "", _cached, writes=True),
    Question("variables", "Are input_variables kept as they are sent?", "", _variables, writes=True),
)
