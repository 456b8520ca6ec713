"""Prompts of formats that PromptLayer does not have: published translated, held by name, and kept in their format."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from promptstore.errors import NotRepresentable
from promptstore.model.digest import canonical_json
from promptstore.model.prompt_file import PromptFile
from promptstore.model.templates import render_text
from promptstore.vendors.promptlayer.lens import LENS

quick = settings(suppress_health_check=list(HealthCheck))
Wire = dict[str, Any]

spaces = st.sampled_from(["", " ", "\n", "\r\n", "a", '{"k": ', "}", "{", "{{", "é"])
spelled = {
    "mustache": ["{{x}}", "{{{ x }}}", "{{& y}}", "{{^x}}no{{/x}}", "{{! why }}"],
    "nunjucks": ["{{ x }}", "{{x | safe}}", "{% if y %}yes{% endif %}", "{{ y | upper }}", "{# why #}"],
    "none": ["{{ x }}", "{x}"],
}
formats = st.sampled_from(sorted(spelled))


def written(fmt: str) -> st.SearchStrategy[str]:
    return st.lists(st.one_of(spaces, st.sampled_from(spelled[fmt])), max_size=5).map("".join)


def prompt(**data: Any) -> PromptFile:
    return PromptFile.model_validate(data)


def user(fmt: str | None, content: Any) -> Wire:
    return {"role": "user", **({"template_format": fmt} if fmt else {}), "content": content}


def sent(data: PromptFile) -> list[tuple[str, str]]:
    messages = LENS.project(data, "s")["prompt_template"]["messages"]
    return [(message["template_format"], message["content"][0]["text"]) for message in messages]


def edited(document: Wire, place: int, text: str, fmt: str | None = None) -> Wire:
    changed = copy.deepcopy(document)
    message = changed["prompt_template"]["messages"][place]
    message["content"][0]["text"] = text
    message["template_format"] = fmt or message["template_format"]
    return changed


@pytest.mark.parametrize(
    ("fmt", "text", "there"),
    [
        ("mustache", "Hi {{name}}", ("jinja2", "Hi {{name}}")),
        ("mustache", "Hi {{{ name }}}\n", ("jinja2", "Hi {{ name }}\n")),
        ("mustache", '{"a": "{{name}}"}\n', ("jinja2", '{"a": "{{name}}"}\n')),
        ("mustache", "{{a.b}}", ("jinja2", "{{a.b}}")),
        ("mustache", '{"a": "{{first name}}"}', ("f-string", '{{"a": "{first name}"}}')),
        ("mustache", "{{^x}}none{{/x}}", ("jinja2", "{% if not x %}none{% endif %}")),
        ("nunjucks", "{{ a.b | upper }}", ("jinja2", "{{ a.b | upper }}")),
        ("none", "a } {{b}}", ("jinja2", 'a } {{ "{{" }}b}}')),
    ],
)
def test_what_has_a_like_is_published_translated(fmt: str, text: str, there: tuple[str, str]) -> None:
    assert sent(prompt(messages=[user(fmt, text)])) == [there]
    assert LENS.project(prompt(template_format=fmt, content=text), "s")["prompt_template"] == {
        "type": "completion",
        "template_format": there[0],
        "content": [{"type": "text", "text": there[1]}],
    }


@pytest.mark.parametrize("fmt", ["mustache", "nunjucks", "none"])
@pytest.mark.parametrize("text", ['{"k": [1]}\n', "a } b\r\n{c}\r\n", "x = {y: 1}"])
def test_a_text_without_a_construct_goes_as_it_is(fmt: str, text: str) -> None:
    old = prompt(messages=[user(fmt, text)])
    assert sent(old) == [("jinja2", text)]
    document = edited(LENS.project(old, "s"), 0, text.replace("1", "2"), "jinja2")
    lifted = LENS.lift(document, "s", old).data()["messages"]
    assert lifted == [user(fmt, text.replace("1", "2"))]


def test_what_has_none_is_named_with_its_place() -> None:
    messages = [user(None, "x"), user("mustache", [{"type": "text", "text": "One\n two {{#each}}x{{/each}}"}])]
    with pytest.raises(NotRepresentable) as caught:
        LENS.project(prompt(messages=messages), "s")
    assert "{{#each}} at line 2, column 6" in caught.value.message
    assert caught.value.field == "messages[1].content"
    assert caught.value.hint


@quick
@given(formats.flatmap(lambda fmt: st.tuples(st.just(fmt), st.lists(written(fmt), min_size=1, max_size=3))))
def test_a_published_translation_renders_the_same_and_lifts_to_the_file_itself(given_: tuple[str, list[str]]) -> None:
    fmt, texts = given_
    old = prompt(template_format=fmt, messages=[user(None, text) for text in texts])
    try:
        document = LENS.project(old, "s")
    except NotRepresentable:
        assume(False)
    for text, (native, there) in zip(texts, sent(old), strict=True):
        variables = {"x": "<&>", "y": "é"}
        # Our nunjucks renders through jinja2, which knows one kind of line end only.
        expected = render_text(text, fmt, variables).replace("\r", "")  # type: ignore[arg-type]
        shown = render_text(there, native, variables).replace("\r", "")  # type: ignore[arg-type]
        assert shown.rstrip("\n") == expected.rstrip("\n")  # jinja2 alone drops a final one, which stays in the text
    assert LENS.lift(document, "s", old) == old


@quick
@given(
    formats.flatmap(lambda fmt: st.tuples(st.just(fmt), written(fmt), written(fmt))),
    st.sampled_from(["f-string", "jinja2"]),
    st.booleans(),
)
def test_an_edit_lifts_to_what_projects_to_it(given_: tuple[str, str, str], native: str, whole: bool) -> None:
    fmt, text, new = given_
    old = prompt(template_format=fmt, messages=[user(None, text), user("jinja2" if whole else None, "{{ x }}")])
    try:
        document = edited(LENS.project(old, "s"), 0, new, native)
    except NotRepresentable:
        assume(False)
    lifted = LENS.lift(document, "s", old)
    assert canonical_json(LENS.project(lifted, "s")) == canonical_json(LENS.normalise(document))
    assert LENS.lift(document, "s", lifted) == lifted


@pytest.mark.parametrize("own", [True, False])
def test_an_edit_comes_back_in_the_format_of_the_file(own: bool) -> None:
    messages = [user("mustache" if own else None, "Hi {{name}}"), user("mustache" if own else None, "{{x}}")]
    old = prompt(messages=messages, **({} if own else {"template_format": "mustache"}))
    document = edited(LENS.project(old, "s"), 0, "Hello {{name}}!")
    expected = old.data()
    expected["messages"][0]["content"] = "Hello {{{name}}}!"  # type: ignore[index,call-overload]
    assert LENS.lift(document, "s", old).data() == expected


def test_when_every_message_is_edited_the_file_keeps_its_format_still() -> None:
    old = prompt(template_format="nunjucks", messages=[user(None, '{"a": {{ x }}}')])
    lifted = LENS.lift(edited(LENS.project(old, "s"), 0, '{"b": {{ y }}}'), "s", old)
    assert lifted.data() == {"template_format": "nunjucks", "messages": [user(None, '{"b": {{ y }}}')]}


def test_a_completion_keeps_its_format_too() -> None:
    old = prompt(template_format="mustache", content="Hi {{name}}")
    document = copy.deepcopy(LENS.project(old, "s"))
    document["prompt_template"]["content"][0]["text"] = "Hello {{name}}"
    assert LENS.lift(document, "s", old).data() == {"template_format": "mustache", "content": "Hello {{{name}}}"}


def test_a_part_that_was_not_edited_keeps_its_spelling() -> None:
    parts = [{"type": "text", "text": "{{x}}"}, {"type": "text", "text": "Hi {{name}}"}]
    old = prompt(template_format="mustache", messages=[user(None, parts)])
    document = LENS.project(old, "s")
    document["prompt_template"]["messages"][0]["content"][1]["text"] = "Hello {{name}}"
    lifted = LENS.lift(document, "s", old).data()["messages"]
    assert lifted == [user(None, [parts[0], {"type": "text", "text": "Hello {{{name}}}"}])]


@pytest.mark.parametrize(("text", "fmt"), [("{% for a in b %}{{ a }}{% endfor %}", "jinja2"), ("{x!r}", "f-string")])
def test_what_the_files_format_cannot_say_comes_in_that_of_the_vendor(text: str, fmt: str) -> None:
    old = prompt(template_format="mustache", messages=[user(None, "Hi {{name}}"), user(None, "{{x}}")])
    document = edited(LENS.project(old, "s"), 0, text, fmt)
    lifted = LENS.lift(document, "s", old).data()
    assert lifted == {"template_format": "mustache", "messages": [user(fmt, text), user(None, "{{x}}")]}
