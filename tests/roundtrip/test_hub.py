"""One repository between three vendors: an edit or a tag at one arrives in git and at the others in the same run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hubs import BasaltPage, BraintrustPage, Hub, PromptLayerPage, done, hub
from repos import commit, git, make_store

pytestmark = pytest.mark.slow

NO_API = "Basalt has no API to write content, so this edit cannot be published there"

MODEL = """\
model:
  provider: openai
  name: gpt-4o
  parameters: {temperature: 0, maxLength: 0, responseFormat: text}
"""


def file(system: str, user: str = "{{ question }}", extra: str = MODEL) -> str:
    return (
        f'{extra}template_format: jinja2\nmessages:\n  - role: system\n    content: "{system}"\n'
        f'  - role: user\n    content: "{user}"\n'
    )


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Hub]:
    with hub(tmp_path, "promptlayer", "braintrust", "basalt") as made:
        yield made


@pytest.fixture
def promptlayer(three: Hub) -> PromptLayerPage:
    twin = three.twins["promptlayer"]
    assert isinstance(twin, PromptLayerPage)
    return twin


@pytest.fixture
def braintrust(three: Hub) -> BraintrustPage:
    twin = three.twins["braintrust"]
    assert isinstance(twin, BraintrustPage)
    return twin


@pytest.fixture
def basalt(three: Hub) -> BasaltPage:
    twin = three.twins["basalt"]
    assert isinstance(twin, BasaltPage)
    return twin


def here(three: Hub, slug: str) -> list[str]:
    return [str(message["content"]) for message in three.store.get(slug).render(strict=False)]


def test_an_edit_anywhere_arrives_everywhere_in_one_run(
    three: Hub,
    promptlayer: PromptLayerPage,
    braintrust: BraintrustPage,
    basalt: BasaltPage,
    capfd: pytest.CaptureFixture[str],
) -> None:
    promptlayer.save("greeting", "Say hello to {name}.", fmt="f-string")
    basalt.save("answer", file("Be short."))
    assert done(three.sync(capfd)) == [
        "promptlayer create-local greeting",
        "basalt create-local answer",
        "promptlayer create-remote answer",
        "braintrust create-remote answer",
        "braintrust create-remote greeting",
    ]
    assert promptlayer.texts("answer") == ["Be short.", "{{ question }}"]
    assert braintrust.texts("answer") == ["Be short.", "{{{ question }}}"]
    assert braintrust.texts("greeting") == ["Say hello to {{{name}}}."]
    assert "greeting" not in [prompt["slug"] for prompt in basalt.request("GET", "/prompts")["prompts"]]
    three.quiet(capfd)
    braintrust.replace("greeting", "hello", "hi")
    basalt.replace("answer", "short", "kind")
    assert done(three.sync(capfd)) == [
        "braintrust update-local greeting",
        "basalt update-local answer",
        "promptlayer update-remote answer",
        "promptlayer update-remote greeting",
        "braintrust update-remote answer",
    ]
    assert promptlayer.texts("greeting") == ["Say hi to {name}."]
    assert (promptlayer.texts("answer")[0], braintrust.texts("answer")[0]) == ("Be kind.", "Be kind.")
    assert (here(three, "answer")[0], here(three, "greeting")) == ("Be kind.", ["Say hi to ."])
    three.quiet(capfd)


@pytest.mark.slow
def test_an_edit_that_one_vendor_cannot_take_goes_on_to_the_others(
    three: Hub,
    promptlayer: PromptLayerPage,
    braintrust: BraintrustPage,
    basalt: BasaltPage,
    capfd: pytest.CaptureFixture[str],
) -> None:
    basalt.save("answer", file("Be short."))
    three.settle(capfd)
    braintrust.replace("answer", "short", "kind")
    document = three.sync(capfd)
    assert done(document) == ["braintrust update-local answer", "promptlayer update-remote answer"]
    assert [(one["remote"], one["reason"]) for one in document["held"]] == [("basalt", NO_API)]
    assert basalt.get("answer")["systemText"] == "Be short."
    basalt.replace("answer", "question", "topic")  # beside it: merged, and published to the two that take it
    document = three.sync(capfd)
    assert done(document) == [
        "basalt merge answer",
        "promptlayer update-remote answer",
        "braintrust update-remote answer",
    ]
    assert braintrust.texts("answer") == ["Be kind.", "{{{ topic }}}"]
    assert promptlayer.texts("answer") == ["Be kind.", "{{ topic }}"]
    assert [one["reason"] for one in three.quiet(capfd)["held"]] == [NO_API]
    basalt.replace("answer", "short", "kind")  # by hand, as the hint says
    assert done(three.sync(capfd)) == ["basalt link answer"]
    assert three.quiet(capfd)["held"] == []


@pytest.mark.slow
def test_a_tag_moved_anywhere_moves_everywhere(
    three: Hub,
    promptlayer: PromptLayerPage,
    braintrust: BraintrustPage,
    basalt: BasaltPage,
    capfd: pytest.CaptureFixture[str],
) -> None:
    basalt.save("answer", file("One."))
    three.settle(capfd)
    basalt.replace("answer", "One", "Two")
    three.settle(capfd)
    two = str(braintrust.prompt("answer")["_xact_id"])
    promptlayer.label("answer", "production", 1)
    assert three.settle(capfd) == [
        "promptlayer tag-local answer:production",
        "braintrust tag-remote answer:production",
        "basalt tag-remote answer:production",
    ]
    assert three.store.get("answer", tag="production").render(question="x")[0]["content"] == "One."
    assert braintrust.at("answer", "production")[0] == "One."
    assert basalt.get("answer", tag="production")["systemText"] == "One."
    braintrust.point("answer", "production", two)
    assert three.settle(capfd) == [
        "braintrust tag-local answer:production",
        "promptlayer tag-remote answer:production",
        "basalt tag-remote answer:production",
    ]
    assert basalt.get("answer", tag="production")["systemText"] == "Two."
    basalt.tag("answer", "production", "1")
    assert three.settle(capfd) == [
        "basalt tag-local answer:production",
        "promptlayer tag-remote answer:production",
        "braintrust tag-remote answer:production",
    ]
    assert braintrust.at("answer", "production")[0] == "One."
    assert promptlayer.read(promptlayer.id_of("answer"), label="production")["version"] == 1


@pytest.mark.slow
def test_a_tag_on_a_version_that_one_vendor_lacks_moves_at_the_others(
    three: Hub,
    promptlayer: PromptLayerPage,
    braintrust: BraintrustPage,
    basalt: BasaltPage,
    capfd: pytest.CaptureFixture[str],
) -> None:
    basalt.save("answer", file("One."))
    basalt.tag("answer", "production", "1")
    three.settle(capfd)
    promptlayer.save("answer", "Two.", "{{ question }}", label="production")
    document = three.sync(capfd)
    assert done(document) == [
        "promptlayer update-local answer",
        "promptlayer tag-local answer:production",
        "braintrust update-remote answer",
        "braintrust tag-remote answer:production",
    ]
    assert [(one["remote"], one["reason"]) for one in document["held"]] == [
        ("basalt", NO_API),
        ("basalt", "tag 'production': version 2 is not at Basalt, which has no API to write content"),
    ]
    assert braintrust.at("answer", "production")[0] == "Two."
    assert basalt.get("answer", tag="production")["systemText"] == "One."
    three.quiet(capfd)
    promptlayer.label("answer", "production", 1)
    assert done(three.sync(capfd)) == [
        "promptlayer tag-local answer:production",
        "braintrust tag-remote answer:production",
    ]
    three.quiet(capfd)


@pytest.mark.slow
def test_formats_are_translated_and_the_rest_is_held(
    three: Hub,
    promptlayer: PromptLayerPage,
    braintrust: BraintrustPage,
    basalt: BasaltPage,
    capfd: pytest.CaptureFixture[str],
) -> None:
    loop = "{% for x in xs %}{{ x }},{% endfor %}"
    promptlayer.save("braces", 'Answer as {{"name": "{name}"}}.', fmt="f-string")
    promptlayer.save("loop", loop)
    promptlayer.save("macro", "{% macro m() %}x{% endmacro %}{{ m() }}")
    basalt.save("asked", file("{% if polite %}Please.{% endif %}"))
    document = three.sync(capfd)
    assert [(one["remote"], one["slug"]) for one in document["held"]] == [("braintrust", "macro")]
    assert "{% macro m() %}" in document["held"][0]["reason"]
    assert "messages[0].content" in document["held"][0]["reason"]
    assert braintrust.prompts() == ["asked", "braces", "loop"]
    assert braintrust.prompt("loop")["prompt_data"]["template_format"] == "nunjucks"
    assert braintrust.texts("loop") == [loop]
    assert braintrust.texts("braces") == ['Answer as {"name": "{{{name}}}"}.']
    assert braintrust.texts("asked")[0] == "{% if polite %}Please.{% endif %}"
    assert promptlayer.texts("asked")[0] == "{% if polite %}Please.{% endif %}"
    three.quiet(capfd)
    braintrust.replace("braces", "Answer", "Reply")
    braintrust.replace("loop", "{{ x }},", "- {{ x }};")
    braintrust.replace("asked", "Please.", "Kindly.")
    document = three.sync(capfd)
    assert promptlayer.texts("braces") == ['Reply as {{"name": "{name}"}}.']
    assert promptlayer.texts("loop") == ["{% for x in xs %}- {{ x }};{% endfor %}"]
    assert promptlayer.texts("asked")[0] == "{% if polite %}Kindly.{% endif %}"
    assert here(three, "braces") == ['Reply as {"name": ""}.']
    assert {(one["remote"], one["slug"]) for one in document["held"]} == {("basalt", "asked"), ("braintrust", "macro")}
    three.quiet(capfd)


@pytest.mark.slow
def test_a_first_meeting_of_all_three(
    tmp_path: Path,
    three: Hub,
    promptlayer: PromptLayerPage,
    braintrust: BraintrustPage,
    basalt: BasaltPage,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Prompts that are equal, at one vendor only, and different; met by a repository that knows of nothing yet."""
    basalt.save("equal", file("The same."))
    basalt.save("differs", file("First."))
    basalt.tag("equal", "production", "1")
    three.settle(capfd)
    promptlayer.save("differs", "Second.", "{{ question }}")
    promptlayer.save("only", "Of PromptLayer.")
    root = tmp_path / "fresh"
    fresh = Hub(root, make_store(root, (three.root / ".promptstore.toml").read_text(), {}), three.twins)
    document = fresh.sync(capfd)
    assert sorted(done(document)) == [
        "basalt link equal",
        "basalt link equal:production",
        "braintrust create-remote only",
        "braintrust link equal",
        "braintrust link equal:production",
        "promptlayer create-local differs",
        "promptlayer create-local equal",
        "promptlayer create-local only",
        "promptlayer tag-local equal:production",
    ]
    assert document["held"] == []
    conflicts = {(one["remote"], one["slug"], one["field"]) for one in document["conflicts"]}
    assert {(remote, slug) for remote, slug, _ in conflicts} == {("braintrust", "differs"), ("basalt", "differs")}
    assert {field for _, _, field in conflicts} >= {"messages[0].content", "model.name"}
    assert fresh.quiet(capfd)["held"] == []
    assert fresh.command(capfd, "resolve", "--all", "--theirs")[0] == 0
    assert sorted(done(fresh.sync(capfd))) == ["basalt link differs", "promptlayer update-remote differs"]
    assert promptlayer.texts("differs")[0] == "First."
    assert fresh.quiet(capfd)["held"] == []
    assert git(root, "status", "--porcelain") == ""


@pytest.mark.slow
def test_a_commit_here_goes_to_all_that_can_take_it(
    three: Hub,
    promptlayer: PromptLayerPage,
    braintrust: BraintrustPage,
    basalt: BasaltPage,
    capfd: pytest.CaptureFixture[str],
) -> None:
    commit(three.root, {"mine": file("Mine.", extra="")})
    assert three.settle(capfd) == ["promptlayer create-remote mine", "braintrust create-remote mine"]
    assert (promptlayer.texts("mine")[0], braintrust.texts("mine")[0]) == ("Mine.", "Mine.")
    assert basalt.request("GET", "/prompts") == {"prompts": []}
