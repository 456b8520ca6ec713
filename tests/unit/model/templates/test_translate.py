"""Translated templates render the same, judged by the engines themselves."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from template_trees import expected, names, plain_trees, shared_trees, spelled, values

from promptstore.errors import TemplateError
from promptstore.model.templates import render_text
from promptstore.model.templates.translate import Untranslatable, translate
from promptstore.model.templates.translation import write_jinja

FORMATS = ("f-string", "jinja2", "mustache", "nunjucks")
formats: Any = st.sampled_from(FORMATS)


def rendered(text: str, fmt: Any, variables: dict[str, Any]) -> str:
    if fmt == "jinja2":
        return jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(text).render(variables)
    return render_text(text, fmt, variables)


@given(plain_trees, values, formats, formats)
def test_plain_variables_and_literal_text_render_the_same_in_every_format(
    tree: Any, variables: dict[str, Any], source: Any, target: Any
) -> None:
    text = spelled(tree, source)
    assert rendered(text, source, variables) == expected(tree, variables)
    assert rendered(translate(text, source, target), target, variables) == expected(tree, variables)


@given(plain_trees, formats, formats)
def test_a_plain_text_comes_back_in_canonical_spelling_and_stays(tree: Any, source: Any, target: Any) -> None:
    there = translate(spelled(tree, source), source, target)
    back = translate(there, target, source)
    assert translate(back, source, target) == there
    assert translate(translate(back, source, target), target, source) == back
    if source == "f-string":
        assert back == spelled(tree, source)


@given(plain_trees, values)
def test_mustache_libraries_render_it_the_same_without_escaping(tree: Any, variables: dict[str, Any]) -> None:
    chevron, pystache = pytest.importorskip("chevron"), pytest.importorskip("pystache")
    text = translate(spelled(tree, "f-string"), "f-string", "mustache")
    assert chevron.render(text, variables) == expected(tree, variables)
    assert pystache.render(text, variables) == expected(tree, variables)


@given(st.text(alphabet="{}%#=<>&\"'\\\r\n ax"), formats)
def test_any_text_survives_as_itself(text: str, target: Any) -> None:
    there = translate(text, "none", target)
    assert rendered(there, target, {}) == text
    assert translate(there, target, "none") == text


@given(
    st.recursive(
        st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)
    ),
    st.integers(0, 2),
    formats,
    formats,
)
def test_json_survives_every_route_to_the_byte(data: Any, indent: int, source: Any, target: Any) -> None:
    text = json.dumps(data, ensure_ascii=False, indent=indent or None, separators=(",", ":"))
    routed = translate(translate(translate(text, "none", source), source, target), target, "none")
    assert routed == text
    assert rendered(translate(translate(text, "none", source), source, target), target, {}) == text


@given(shared_trees, values)
def test_what_jinja2_and_nunjucks_share_renders_the_same(tree: Any, variables: dict[str, Any]) -> None:
    text = write_jinja.write(tree, "jinja2")
    there = translate(text, "jinja2", "nunjucks")
    assert render_text(there, "nunjucks", variables) == rendered(text, "jinja2", variables)
    assert translate(there, "nunjucks", "jinja2") == text


@given(st.sampled_from(["", 0, 1, "x", True, False, None, [], ["x"], {"a": "b"}]))
@pytest.mark.parametrize("text", ["a\n{{^x}}\nb {{{y}}}\n{{/x}}\nc\n", "{{^x}}b{{/x}}", "a {{^x}}b\n{{/x}}{{{y}}}"])
def test_an_inverted_section_is_if_not_for_every_value(text: str, value: Any) -> None:
    chevron, pystache = pytest.importorskip("chevron"), pytest.importorskip("pystache")
    variables = {"x": value, "y": "<&>"}
    there = translate(text, "mustache", "jinja2")
    back = translate(there, "jinja2", "mustache")
    truth = chevron.render(text, variables)
    assert pystache.render(text, variables) == render_text(text, "mustache", variables) == truth
    assert rendered(there, "jinja2", variables) == truth
    assert chevron.render(back, variables) == pystache.render(back, variables) == truth
    assert translate(back, "mustache", "jinja2") == there


tags = [
    "{{{x}}}",
    "{{^y}}",
    "{{/y}}",
    "{{! c }}",
    "{{& x }}",
    "{{=<% %>=}}",
    "<%={{ }}=%>",
    "<%&x%>",
    "\n",
    " ",
    "t",
    "{",
]


@given(st.lists(st.sampled_from(tags), max_size=7).map("".join))
def test_mustache_of_every_shape_renders_as_the_libraries_do(text: str) -> None:
    chevron, pystache = pytest.importorskip("chevron"), pytest.importorskip("pystache")
    variables = {"x": "<&>", "y": ""}
    with suppress(Untranslatable):
        there = rendered(translate(text, "mustache", "jinja2"), "jinja2", variables)
        assert there == chevron.render(text, variables) == pystache.render(text, variables)


@pytest.mark.parametrize(
    ("text", "source", "target", "there"),
    [
        ("Hi {x}!", "f-string", "jinja2", "Hi {{ x }}!"),
        ("Hi {x!s}", "f-string", "mustache", "Hi {{{x}}}"),
        ("ends\n", "f-string", "jinja2", "ends\n\n"),
        ("ends\n", "jinja2", "f-string", "ends"),
        ("a\r\nb", "none", "jinja2", 'a{{ "\\r" }}\nb'),
        ("Hi {{x}} {{& y }}", "mustache", "jinja2", "Hi {{ x }} {{ y }}"),
        ("{{a.b}}", "mustache", "nunjucks", "{{ a.b }}"),
        ("{{first name}}", "mustache", "f-string", "{first name}"),
        ("{{ x | safe }}", "nunjucks", "mustache", "{{{x}}}"),
        ("{% raw %}{{ x }}{% endraw %}", "jinja2", "f-string", "{{{{ x }}}}"),
        ("{{ '{{' }}", "nunjucks", "none", "{{"),
        ("a {# note #} {{- x -}} b", "jinja2", "f-string", "a {x}b"),
        ("{% if not x %}\nb{% endif %}\nc", "jinja2", "mustache", "{{^x}}\n\nb{{/x}}\nc"),
        ("{% if a == 'b' %}x{% elif c is not defined %}y{% else %}z{% endif %}", "nunjucks", "jinja2",
         '{% if a == "b" %}x{% elif not (c is defined) %}y{% else %}z{% endif %}'),
        ("{{ x | d('a') | upper }}{{ xs | join(', ') }}", "jinja2", "nunjucks",
         '{{ x | default("a") | upper }}{{ xs | join(", ") }}'),
        ("a #} b", "none", "nunjucks", 'a {{ "#" }}} b'),
    ],
)  # fmt: skip
def test_canonical_spelling(text: str, source: Any, target: Any, there: str) -> None:
    assert translate(text, source, target) == there


@pytest.mark.parametrize(
    ("text", "source", "target", "place"),
    [
        ("{x!r}", "f-string", "jinja2", (1, 1)),
        ("a\n {x:>5}", "f-string", "mustache", (2, 2)),
        ("{first name}", "f-string", "jinja2", (1, 1)),
        ("{range}", "f-string", "nunjucks", (1, 1)),
        ("{ x }", "f-string", "mustache", (1, 1)),
        ("{a", "f-string", "jinja2", (1, 1)),
        ("a {{#x}}b{{/x}}", "mustache", "jinja2", (1, 3)),
        ("{{.}}", "mustache", "jinja2", (1, 1)),
        ("{{a.b}}", "mustache", "f-string", (1, 1)),
        ("{{a.items}}", "mustache", "jinja2", (1, 1)),
        ("{{a.0}}", "mustache", "jinja2", (1, 1)),
        ("x{{>p}}", "mustache", "jinja2", (1, 2)),
        ("{% if x %}a{% endif %}", "jinja2", "mustache", (1, 1)),
        ("a\n{{^x}}{{/x}}\nb", "mustache", "jinja2", (2, 1)),
        ("a {{x}}\n {{! c }} \nb", "mustache", "f-string", (2, 2)),
        ("{{+ x }}", "nunjucks", "jinja2", (1, 1)),
        ("{#- c -#}{{ x }}", "nunjucks", "jinja2", (1, 1)),
        (" {% if not x %}\nb{% endif %}", "jinja2", "mustache", (1, 2)),
        ("{% for a in b %}{% endfor %}", "jinja2", "f-string", (1, 1)),
        ("{% set a = 1 %}", "jinja2", "nunjucks", (1, 1)),
        ("{% for k, v in b %}{% endfor %}", "nunjucks", "jinja2", (1, 1)),
        ("a\nb {{ x | tojson }}", "jinja2", "nunjucks", (2, 3)),
        ("{{ x | title }}", "jinja2", "nunjucks", (1, 1)),
        ("{{ x | length }}", "jinja2", "nunjucks", (1, 1)),
        ("{% if x == 1 %}a{% endif %}", "jinja2", "nunjucks", (1, 1)),
        ("{% if x == '1' %}a{% endif %}", "jinja2", "nunjucks", (1, 1)),
        ("{% for a in xs %}{% endfor %}{% if xs %}a{% endif %}", "jinja2", "nunjucks", (1, 30)),
        ("{% if not x == 'a' %}a{% endif %}", "nunjucks", "jinja2", (1, 1)),
        ("{% if not (x) == 'a' %}a{% endif %}", "nunjucks", "jinja2", (1, 1)),
        ("{{ x.y() }}", "jinja2", "nunjucks", (1, 1)),
        ("{{ loop.index }}", "jinja2", "nunjucks", (1, 1)),
        ("{{ 1.0 }}", "jinja2", "nunjucks", (1, 1)),
        ("{{ true }}", "jinja2", "nunjucks", (1, 1)),
        ("{{ '\\x41' }}", "nunjucks", "jinja2", (1, 1)),
        ("a\n{{ x ", "jinja2", "nunjucks", (2, 1)),
        ("a {{ x }}", "jinja2", "none", (1, 3)),
    ],
)
def test_what_has_no_like_is_named_with_its_place(text: str, source: Any, target: Any, place: tuple[int, int]) -> None:
    with pytest.raises(Untranslatable) as caught:
        translate(text, source, target)
    assert (caught.value.line, caught.value.column) == place
    assert text.split("\n")[place[0] - 1][place[1] - 1 :].startswith(caught.value.construct.split("\n")[0])
    assert caught.value.hint


@pytest.mark.parametrize("source", ["f-string", "jinja2", "mustache", "nunjucks"])
@given(text=st.text(alphabet="{}%#^/=.|ab if\n"))
def test_any_text_is_translated_or_refused_in_words(source: Any, text: str) -> None:
    for target in (*FORMATS, "none"):
        with suppress(Untranslatable):
            there = translate(text, source, target)
            assert translate(translate(there, target, source), source, target) == there


def test_a_broken_text_stays_as_it_is_in_its_own_format() -> None:
    assert translate("{{ x", "jinja2", "jinja2") == "{{ x"
    assert issubclass(Untranslatable, TemplateError)
