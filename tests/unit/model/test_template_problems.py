"""Templates that cannot be read are told at their place in the file, and nowhere else are they in the way."""

from __future__ import annotations

import pytest

from promptstore.errors import InvalidPrompt
from promptstore.model.reading import parse_prompt, problems
from promptstore.model.slug import slug_problem
from promptstore.model.template_problems import template_problems


def told(text: str) -> list[tuple[int | None, int | None]]:
    found = template_problems(text.encode(), "prompts/a.yaml")
    assert all(one.where.path == "prompts/a.yaml" and one.message and one.hint for one in found)
    return [(one.where.line, one.where.column) for one in found]


BLOCK = """\
messages:
  - role: system
    content: Fine {{ x }}.
  - role: user
    content: |

      Hello,
        dear %s!
"""


@pytest.mark.parametrize(
    ("fmt", "construct", "place"),
    [
        ("f-string", "{", (10, 14)),
        ("f-string", "{a.b}", (10, 14)),
        ("mustache", "{{#a}}", (10, 14)),
        ("mustache", "{{/a}}", (10, 14)),
        ("jinja2", "{{ x", (10, 9)),
        ("jinja2", "{% for %}", (10, 9)),
        ("jinja2", "{{ x | nofilter }}", (10, 9)),
        ("nunjucks", "{% switch x %}", (10, 9)),
    ],
)
def test_a_fault_in_a_block_stands_at_its_line_and_column(fmt: str, construct: str, place: tuple[int, int]) -> None:
    text = f"# said\ntemplate_format: {fmt}\n" + (BLOCK % construct).replace("Fine {{ x }}.", "Fine.")
    assert told(text) == [place]
    assert told(text.replace("\n", "\r\n")) == [place]


@pytest.mark.parametrize("fmt", ["f-string", "mustache", "jinja2", "nunjucks", "none"])
def test_good_templates_are_no_problem(fmt: str) -> None:
    construct = {"f-string": "{x}", "none": "{{ x {%"}.get(fmt, "{{ x }}")
    assert told(f"template_format: {fmt}\n" + (BLOCK % construct).replace("{{ x }}.", ".")) == []


def test_each_text_is_judged_by_its_own_format() -> None:
    messages = [
        "  - {role: user, content: '{{ x', template_format: none}",
        "  - {role: user, content: '{{ x'}",
        "  - {role: user, content: '{ x', template_format: f-string}",
        "  - {role: placeholder, name: '{{ history'}",
    ]
    assert told("template_format: mustache\nmessages:\n" + "\n".join(messages) + "\n") == [(4, 28), (5, 28)]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("so {{ x", (2, 13)),
        ("'so {{ x'", (2, 14)),
        ('"so {{ x"', (2, 14)),
        ('"so\\t {{ x"', (2, 10)),  # escaped: only where the text begins is sure
        (">\n  so\n  {{ x", (2, 10)),
        ("'so\n  {{ x'", (2, 10)),
    ],
)
def test_texts_that_are_no_blocks(content: str, place: tuple[int, int]) -> None:
    assert told(f"template_format: mustache\ncontent: {content}\n") == [place]


def test_a_byte_order_mark_and_a_deep_indent_move_nothing() -> None:
    text = "\ufefftemplate_format: mustache\ncontent: |4\n        {{ x\n"
    assert told(text) == [(3, 9)]


def test_parts_urls_and_arguments_are_templates_too() -> None:
    text = """\
template_format: mustache
messages:
  - role: user
    content:
      - {type: text, text: '{{a'}
      - {type: image_url, image_url: {url: 'https://x/{{b'}}
      - {type: image_url, image_url: {url: 'data:image/png;base64,{{c'}}
  - role: assistant
    content: null
    tool_calls:
      - {id: '1', type: function, function: {name: f, arguments: '{{d'}}
"""
    assert [place[0] for place in told(text)] == [5, 6, 11]


def test_such_a_prompt_is_valid_all_the_same() -> None:
    text = b"template_format: jinja2\ncontent: '{{ x'\n"
    assert problems(text) == []
    assert parse_prompt(text).content == "{{ x"


def test_what_is_no_prompt_has_no_templates() -> None:
    with pytest.raises(InvalidPrompt):
        template_problems(b"messages: [\n")


@pytest.mark.parametrize("slug", ["\ud800", "a/\udfff", "é", "a\0b"])
def test_any_text_can_be_judged_as_a_slug(slug: str) -> None:
    problem = slug_problem(slug)
    assert problem is not None
    problem.encode()
