"""f-strings as PromptLayer documents them, and what its client leaves unrendered without a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.errors import MissingVariable, TemplateError
from promptstore.model.templates import render_text, variables_in

NAMES = st.text(st.sampled_from("abcé_- 9"), min_size=1, max_size=8).filter(lambda n: n.strip() and not n.isdecimal())
TEXTS = st.text(max_size=20)
ESCAPED = TEXTS.map(lambda text: text.replace("{", "{{").replace("}", "}}"))


def render(template, strict=True, **variables):
    return render_text(template, "f-string", variables, strict=strict)


@given(TEXTS)
def test_doubled_braces_give_any_text_back(text):
    template = text.replace("{", "{{").replace("}", "}}")
    assert render(template) == text
    assert variables_in(template, "f-string") == ()


@given(st.lists(st.tuples(ESCAPED, NAMES, st.sampled_from(["", "!r", ":>5", "!s:<3"]))), st.data())
def test_what_is_rendered_is_what_str_format_renders(pieces, data):
    template = "".join(f"{text}{{{name}{suffix}}}" for text, name, suffix in pieces)
    variables = {name: data.draw(TEXTS) for _, name, _ in pieces}
    assert render_text(template, "f-string", variables) == template.format(**variables)


@given(st.lists(NAMES, unique=True, min_size=1), st.data())
def test_the_variables_found_are_exactly_those_whose_absence_raises(names, data):
    template = "".join(f"{{{name}}}" for name in names)
    given_names = data.draw(st.sets(st.sampled_from(names)))
    assert variables_in(template, "f-string") == tuple(names)
    absent = [name for name in names if name not in given_names]
    if not absent:
        assert render_text(template, "f-string", dict.fromkeys(given_names, "x")) == "x" * len(names)
        return
    with pytest.raises(MissingVariable) as caught:
        render_text(template, "f-string", dict.fromkeys(given_names, "x"))
    assert caught.value.names == tuple(absent)


@pytest.mark.parametrize(
    ("template", "place", "problem"),
    [
        ("a\n{a.b}", "line 2, column 1", "attribute"),
        ("{a[0]}", "line 1, column 1", "attribute"),
        ("x {{ {}", "line 1, column 6", "no name"),
        ("{0}", "line 1, column 1", "position"),
        ("{a:}{a:{w}}", "line 1, column 5", "inside its format spec"),
        ("é\r\n {", "line 2, column 2", "cannot be read"),
        ("x}", "line 1, column 2", "cannot be read"),
        ("{a!x}", "line 1, column 1", "unknown conversion"),
        ("{a:99999999999}", "line 1, column 1", "width"),
        ('{"a": 1}', "line 1, column 1", "JSON"),
        ("{'a': b}", "line 1, column 1", "JSON"),
        ("{\n  x\n}", "line 1, column 1", "code"),
        ("{a:.2f}", "line 1, column 1", "does not fit"),
    ],
)
def test_what_the_vendor_leaves_unrendered_is_told(template, place, problem):
    with pytest.raises(TemplateError) as caught:
        render(template, a="text", w="3")
    assert place in caught.value.message
    assert problem in caught.value.message
    assert caught.value.hint
    assert render(template, strict=False, a="text", w="3") == template


def test_the_hint_names_the_ways_out():
    with pytest.raises(TemplateError) as caught:
        render('{"a": 1}')
    assert "{{" in caught.value.hint
    assert "jinja2" in caught.value.hint


def test_no_attribute_of_a_value_is_reachable():
    class Secret:
        key = "hidden"

        def __str__(self):
            return "shown"

    variables = {"a": Secret(), "a.key": "flat", "a[key]": "flat"}
    for template in ("{a} {a.key}", "{a} {a.__class__}", "{a[key]}", "{a:{a.key}}"):
        assert render_text(template, "f-string", variables, strict=False) == template
    assert render_text("{a}", "f-string", variables) == "shown"


def test_none_is_empty_and_missing_too_where_not_strict():
    assert render("<{a}><{a!r}>", a=None) == "<><''>"
    assert render("<{a}><{b c}>", strict=False) == "<><>"


def test_all_missing_are_named_at_once_with_the_way_to_give_them():
    with pytest.raises(MissingVariable, match="'a', 'first name'") as caught:
        render("{a}{first name}{b}", b=1)
    assert "-v a=..." in caught.value.hint
    assert "-v 'first name=...'" in caught.value.hint


def test_a_value_that_fails_is_a_template_error():
    class Broken:
        def __str__(self):
            raise RuntimeError("no text")

    with pytest.raises(TemplateError, match="no text"):
        render("{a}", a=Broken())
    assert render("{a}", strict=False, a=Broken()) == "{a}"
