"""jinja2 in the sandbox: the vendor's default options, strict variables, capped work."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.errors import MissingVariable, TemplateError
from promptstore.model.templates import render_text, variables_in

NAMES = st.lists(st.sampled_from(["alpha", "beta", "gamma", "é"]), min_size=1, unique=True)
USES = ["{{ %s }}", "{{ %s.inner }}", "{%% for x in %s %%}{{ x }}{%% endfor %%}", "{%% if %s %%}{%% endif %%}"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8", exclude_characters="{}%#\r")),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner),
)


def render(template, strict=True, **variables):
    return render_text(template, "jinja2", variables, strict=strict)


@given(JSON)
def test_json_in_a_prompt_survives(value):
    text = json.dumps(value, indent=1, ensure_ascii=False)
    assert render(text + " {{ x }}", x="y") == text + " y"


@given(NAMES, st.data())
def test_the_variables_found_are_exactly_those_whose_absence_raises(names, data):
    template = "".join(data.draw(st.sampled_from(USES)) % name for name in names)
    given_names = data.draw(st.sets(st.sampled_from(names)))
    variables = {name: {"inner": "x"} for name in given_names}
    assert variables_in(template, "jinja2") == tuple(names)
    absent = tuple(name for name in names if name not in given_names)
    if not absent:
        assert isinstance(render_text(template, "jinja2", variables), str)
        return
    with pytest.raises(MissingVariable) as caught:
        render_text(template, "jinja2", variables)
    assert caught.value.names == absent


@given(st.lists(st.sampled_from(["{{", "}}", "{%", "%}", "x", " ", "if", "for", "in", "|", ".", "/", "0", "#}", "{#"])))
def test_not_strict_never_raises(tokens):
    assert isinstance(render("".join(tokens), strict=False), str)


def test_a_variable_the_template_can_do_without_is_not_missing():
    template = "{{ a | default('x') }}{% if b is defined %}{{ b }}{% endif %}{{ c }}"
    assert variables_in(template, "jinja2") == ("a", "b", "c")
    with pytest.raises(MissingVariable) as caught:
        render(template)
    assert caught.value.names == ("c",)
    assert render(template, c="y") == "xy"


def test_what_the_template_sets_itself_is_no_variable():
    template = "{% set a = b.a %}{% for i in c %}{{ i }}{{ loop.index }}{{ range(2) }}{% endfor %}{{ a }}"
    assert variables_in(template, "jinja2") == ("b", "c")


def test_the_order_is_that_of_the_text():
    assert variables_in("{{ a if b else c }}{{ x.d }}{{ y | default(d) }}", "jinja2") == ("a", "b", "c", "x", "y", "d")


def test_the_default_options_hold():
    assert render("{{ a }}\n", a="<&>") == "<&>"
    assert render("{{ a }}\n\n", a=None) == "None\n"


def test_missing_at_any_depth_is_empty_where_not_strict():
    assert render("[{{ a.b.c }}{{ d }}]", strict=False) == "[]"


def test_a_missing_attribute_is_told_with_its_line():
    with pytest.raises(TemplateError, match=r"no attribute 'name' \(line 2 of the text\)"):
        render("\n{{ user.name }}", user={})


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("a\n{% if %}", r"line 2 of the text"),
        ("{{ 1/0 }}", "ZeroDivisionError"),
        ("{% include 'x' %}", "no loader"),
        ("{{ x | nope }}", "No filter named 'nope'"),
        ("{{ x.__class__.__mro__ }}", "unsafe"),
        ("{{ x.append(1) }}", "unsafe"),
        ("{{ range(1000000) | length }}", "range"),
        ("{{ 'a' * 100000000 }}", "too long"),
        ("{{ [1] * 100000000 }}", "too long"),
        ("{{ 10 ** 1000000 }}", "too large"),
        ("{% for i in range(99999) %}{{ 'a' * 9999 }}{% endfor %}", "grows beyond"),
        ("{{ " + "(" * 5000 + ")" * 5000 + " }}", "RecursionError"),
    ],
)
def test_faults_and_excess_are_told(template, problem):
    with pytest.raises(TemplateError, match=problem):
        render(template, x=[])


def test_variables_of_a_broken_template_raise():
    with pytest.raises(TemplateError, match="line 1 of the text"):
        variables_in("{% if %}", "jinja2")


def test_values_stay_as_they_were():
    given_list = [1]
    render("{{ x | sort }}{% set _ = x %}", x=given_list)
    assert given_list == [1]
