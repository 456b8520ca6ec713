"""The example store at the top of the repository: valid, formatted, and able to do what its comments say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pages import ROOT

from promptstore.errors import NotRepresentable
from promptstore.model.prompt_file import PromptFile
from promptstore.model.reading import parse_prompt
from promptstore.model.rendering import render, variables
from promptstore.model.schema import prompt_schema
from promptstore.model.slug import slug_problem
from promptstore.model.yaml.formatter import format_text
from promptstore.store.config import load_config
from promptstore.vendors.promptlayer import VENDOR as PROMPTLAYER

PROMPTS = ROOT / "prompts"
SLUGS = sorted(str(path.relative_to(PROMPTS))[: -len(".yaml")] for path in PROMPTS.rglob("*.yaml"))
ONLY_ELSEWHERE = {"support/welcome-email"}  # mustache, which PromptLayer does not have

VARIABLES: dict[str, dict[str, Any]] = {
    "documents/answer-with-citations": {
        "passages": [
            {"title": "Terms", "text": "30 days."},
            {"title": "FAQ", "date": "2026-01-01", "text": "14 days."},
        ],
        "question": "How long?",
    },
    "documents/invoice-fields": {"country": "DE", "pages": ["https://example.com/1.png"]},
    "engineering/code-review": {"language": "Python", "diff": "+x = 1"},
    "engineering/commit-message": {"diff": "+x = 1"},
    "engineering/release-notes": {
        "version": "1.1",
        "previous": "1.0",
        "pulls": [{"number": 7, "title": "Retry once", "body": "It gave up too early."}],
    },
    "engineering/sql-explainer": {"dialect": "SQLite", "audience": "lawyers", "tables": "t(a)", "query": "SELECT a"},
    "office/meeting-minutes": {"date": "2026-01-01", "participants": ["Ann", "Ben"], "transcript": "Ann: Hello."},
    "office/translate": {"language": "German", "text": "Save"},
    "support/chat-reply": {
        "agent_name": "Ann",
        "company": "Acme",
        "facts": ["Parcels take 2 days."],
        "conversation": [{"role": "user", "content": "Where is it?"}],
    },
    "support/ticket-summary": {"ticket": "It broke."},
    "support/triage": {"product": "Acme", "subject": "Refund", "body": "Charged twice."},
    "support/welcome-email": {"customer": {"name": "Ann"}, "products": [{"name": "Acme Mail"}]},
}


def _text(slug: str) -> str:
    return (PROMPTS / f"{slug}.yaml").read_text(encoding="utf-8")


def _prompt(slug: str) -> PromptFile:
    return parse_prompt(_text(slug), f"prompts/{slug}.yaml")


def test_there_are_variables_for_each_example() -> None:
    assert sorted(VARIABLES) == SLUGS
    assert all(slug_problem(slug) is None for slug in SLUGS)


@pytest.mark.parametrize("slug", SLUGS)
def test_example_is_formatted(slug: str) -> None:
    assert format_text(_text(slug)) == _text(slug)


@pytest.mark.parametrize("slug", SLUGS)
def test_example_renders_with_nothing_left_to_fill_in(slug: str) -> None:
    prompt = _prompt(slug)
    assert set(VARIABLES[slug]) <= set(variables(prompt))
    rendered = json.dumps(render(prompt, VARIABLES[slug]))
    assert "{{" not in rendered
    assert "{%" not in rendered


@pytest.mark.parametrize("slug", SLUGS)
def test_example_goes_to_promptlayer_and_back(slug: str) -> None:
    prompt, lens = _prompt(slug), PROMPTLAYER.lens
    if slug in ONLY_ELSEWHERE:
        with pytest.raises(NotRepresentable, match="mustache"):
            lens.project(prompt, slug)
        return
    assert lens.lift(lens.project(prompt, slug), slug, prompt) == prompt


def test_examples_show_the_whole_format() -> None:
    data = [_prompt(slug).data() for slug in SLUGS]
    used = {key for prompt in data for key in prompt}
    assert used >= {"content", "messages", "tools", "tool_choice", "response_format", "metadata", "vendors", "tags"}
    assert {_prompt(slug).format for slug in SLUGS} >= {"jinja2", "f-string", "mustache"}


def test_example_store_needs_no_key() -> None:
    assert load_config(str(ROOT)).remotes == {}


def test_schema_for_editors_is_the_programs_own() -> None:
    kept = json.loads((PROMPTS / ".schema.json").read_text(encoding="utf-8"))
    assert kept == prompt_schema(), "run `promptstore schema > prompts/.schema.json`"
