"""A filled PromptLayer workspace moves into an empty Braintrust project: all of it, or held with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hubs import BraintrustPage, Hub, PromptLayerPage, done, hub
from repos import git

from promptstore.cli.run import run

LOOP = "{% for step in steps %}{{ step }}\n{% endfor %}"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Hub]:
    with hub(tmp_path, "promptlayer", "braintrust") as made:
        yield made


@pytest.fixture
def promptlayer(two: Hub) -> PromptLayerPage:
    twin = two.twins["promptlayer"]
    assert isinstance(twin, PromptLayerPage)
    return twin


@pytest.fixture
def braintrust(two: Hub) -> BraintrustPage:
    twin = two.twins["braintrust"]
    assert isinstance(twin, BraintrustPage)
    return twin


def fill(promptlayer: PromptLayerPage) -> None:
    """A workspace as people have them: versions, labels, formats, and what Braintrust has nothing for."""
    promptlayer.save("triage", "One {{ ticket }}", "x")
    promptlayer.save("triage", "Two {{ ticket }}", "x", label="production")
    promptlayer.save("triage", "Three {{ ticket }}", "x", label="staging")
    promptlayer.save("greeting", "Hello {name}", fmt="f-string", label="production")
    promptlayer.save("steps", LOOP)
    promptlayer.save("included", "{% include 'other' %}")
    parts = [{"type": "text", "text": "Complete "}, {"type": "text", "text": "this"}]
    promptlayer.save_template("legacy", {"type": "completion", "content": parts, "template_format": "jinja2"})


def texts_of_versions(braintrust: BraintrustPage, slug: str) -> list[str]:
    """Every version that Braintrust has, oldest first, by its first message."""
    prompt = braintrust.prompt(slug)
    rows = braintrust.store.history.numbering(braintrust.store.tip).of(slug)
    found = [braintrust.store.contents.prompt(row.blob, slug).data()["messages"][0]["content"] for row in rows]
    assert found[-1] == prompt["prompt_data"]["prompt"]["messages"][0]["content"]
    return found


@pytest.mark.slow
def test_everything_moves_or_is_held_with_its_reason(
    two: Hub, promptlayer: PromptLayerPage, braintrust: BraintrustPage, capfd: pytest.CaptureFixture[str]
) -> None:
    fill(promptlayer)
    document = two.sync(capfd, "--history")
    assert document["conflicts"] == []
    held = {one["slug"]: one for one in document["held"]}
    assert sorted(held) == ["included", "legacy"]
    assert {one["remote"] for one in held.values()} == {"braintrust"}
    assert "{% include 'other' %}" in held["included"]["reason"]
    assert "content" in held["legacy"]["reason"]
    assert all(one["hint"] for one in held.values())
    here = sorted(two.store.prompts_at(two.store.tip))
    assert here == ["greeting", "included", "legacy", "steps", "triage"]
    assert sorted([*braintrust.prompts(), *held]) == here, "none is dropped in silence"
    assert texts_of_versions(braintrust, "triage") == ["Two {{{ ticket }}}", "Three {{{ ticket }}}"]
    assert braintrust.at("triage", "production") == ["Two {{{ ticket }}}", "x"]
    assert braintrust.at("triage", "staging") == ["Three {{{ ticket }}}", "x"]
    assert braintrust.at("greeting", "production") == ["Hello {{{name}}}"]
    assert (braintrust.texts("steps"), braintrust.prompt("steps")["prompt_data"]["template_format"]) == (
        [LOOP],
        "nunjucks",
    )
    assert two.store.get("triage").version == 3
    assert [two.store.get("triage", version=number).render(ticket="x")[0]["content"] for number in (1, 2, 3)] == [
        "One x",
        "Two x",
        "Three x",
    ]
    two.quiet(capfd, "--history")


@pytest.mark.slow
def test_dates_and_authors_stay_in_git(
    two: Hub, promptlayer: PromptLayerPage, capfd: pytest.CaptureFixture[str]
) -> None:
    fill(promptlayer)
    two.sync(capfd, "--history")
    made = git(promptlayer.store.root, "log", "--format=%aI", "--reverse", "main", "--", "prompts").splitlines()  # type: ignore[arg-type]
    here = git(two.root, "log", "--format=%aI", "--reverse", "main", "--", "prompts").splitlines()
    assert [one[:19] for one in here] == [one[:19] for one in made]
    assert len(here) == 7


@pytest.mark.slow
def test_people_are_told_what_was_held_at_the_end(
    two: Hub, promptlayer: PromptLayerPage, capfd: pytest.CaptureFixture[str]
) -> None:
    fill(promptlayer)
    capfd.readouterr()
    assert run(["-C", str(two.root), "sync", "--history"]) == 3
    told = capfd.readouterr().out
    report = told[told.index("held") :]
    assert "held legacy (braintrust)" in report
    assert "held included (braintrust)" in report
    assert report.count("  hint: ") == 2
    last = told.splitlines()[-1]
    assert last == "braintrust: 3 prompts there, 2 prompts held"


@pytest.mark.slow
def test_an_environment_that_is_missing_is_held_with_the_way_out(
    two: Hub, promptlayer: PromptLayerPage, braintrust: BraintrustPage, capfd: pytest.CaptureFixture[str]
) -> None:
    braintrust.environments = {"production"}
    fill(promptlayer)
    document = two.sync(capfd)
    held = [one for one in document["held"] if one["slug"] == "triage"]
    assert [(one["remote"], "'staging'" in one["reason"]) for one in held] == [("braintrust", True)]
    assert "make it in Braintrust" in held[0]["hint"]
    assert braintrust.at("triage", "production") == ["Two {{{ ticket }}}", "x"]
    assert done(two.sync(capfd)) == []
    braintrust.environments.add("staging")
    assert done(two.sync(capfd)) == ["braintrust tag-remote triage:staging"]
