"""A text keeps its own spelling on its way through formats in which only the braces of variables differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.model.templates import render_text
from promptstore.model.templates.translation.respelling import carried, respelled
from promptstore.model.templates.translation.tree import Untranslatable

PIECES = st.sampled_from(
    ["{{x}}", "{{ y }}", "{{  x }}", '{"a": 1}', "a & b", "\n", " ", "{", "}", "<b>", "text", "{{{", "}}}", "{%", "é"]
)


@pytest.mark.parametrize("text", ["{{x}} and {{ y }}\n", "x: {{x}}", '{"json": "{{x}}"}\n\n', "{{ x }}\r\nend"])
@pytest.mark.parametrize("middle", ["mustache", "nunjucks"])
def test_there_and_back_is_the_same_to_the_byte(text: str, middle: str) -> None:
    there = carried(text, "jinja2", middle)  # type: ignore[arg-type]
    assert carried(there, middle, "jinja2") == text  # type: ignore[arg-type]


def test_mustache_does_not_escape() -> None:
    assert carried("{{x}} {{ y }}\n", "jinja2", "mustache") == "{{{x}}} {{{ y }}}\n"


@pytest.mark.parametrize("text", ["{{#x}}a{{/x}}", "{% if x %}a{% endif %}", "{{ x|upper }}", "{{ x }} {{{ y }}}"])
def test_what_needs_more_than_braces_is_translated(text: str) -> None:
    assert respelled(text, "jinja2", "mustache") is None


@given(pieces=st.lists(PIECES, max_size=8), target=st.sampled_from(["mustache", "nunjucks"]))
def test_what_is_kept_renders_the_same_but_for_a_final_newline(pieces: list[str], target: str) -> None:
    text = "".join(pieces)
    kept = respelled(text, "jinja2", target)  # type: ignore[arg-type]
    if kept is not None:
        values = {"x": "<1>", "y": "two & three"}
        ours = render_text(text, "jinja2", values).rstrip("\n")
        assert render_text(kept, target, values).rstrip("\n") == ours  # type: ignore[arg-type]


def test_what_has_no_translation_still_says_so() -> None:
    with pytest.raises(Untranslatable):
        carried("{% include 'x' %}", "jinja2", "mustache")
