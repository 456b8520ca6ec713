"""Mustache after its specification, without HTML escaping, attributes, calls or partials."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.errors import MissingVariable, TemplateError
from promptstore.model.templates import render_text, variables_in

NAMES = st.lists(st.sampled_from(["alpha", "beta", "first name", "é"]), min_size=1, unique=True)
USES = ["{{%s}}", "{{{ %s }}}", "{{&%s}}", "{{#%s}}x{{/%s}}", "{{^%s}}x{{/%s}}"]


def render(template, strict=True, **variables):
    return render_text(template, "mustache", variables, strict=strict)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{a}}|{{{a}}}|{{& a }}", "<&>|<&>|<&>"),
        ("{{m}} {{l}} {{t}} {{none}}.", '{"é": 1} [1, 2] true .'),
        ("{{o.p.q}} {{l.1}}", "deep 2"),
        ("{{#l}}{{.}},{{/l}}", "1,2,"),
        ("{{#o}}{{p.q}}{{a}}{{/o}}", "deep<&>"),
        ("{{#t}}yes{{/t}}{{^t}}no{{/t}}{{#none}}x{{/none}}{{^none}}no{{/none}}{{^empty}}e{{/empty}}", "yesnoe"),
        ("a\n  {{#t}}\n  b\n  {{/t}}\nc", "a\n  b\nc"),
        ("{{#t}}\r\nb\r\n{{/t}}\r\nc", "b\r\nc"),
        ("x {{#t}} b {{/t}} y\n", "x  b  y\n"),
        ("a {{! any\n{{thing }} b", "a  b"),
        ("{{=<% %>=}}<% a %>{{a}}<%={{ }}=%>{{a}}", "<&>{{a}}<&>"),
        ('{"json": {"a": 1}}', '{"json": {"a": 1}}'),
    ],
)
def test_rendering(template, text):
    values = {"m": {"é": 1}, "l": [1, 2], "t": True, "none": None, "o": {"p": {"q": "deep"}}, "empty": []}
    assert render(template, a="<&>", **values) == text


@given(NAMES, st.data())
def test_the_variables_found_are_exactly_those_whose_absence_raises(names, data):
    template = "".join(data.draw(st.sampled_from(USES)).replace("%s", name) for name in names)
    given_names = data.draw(st.sets(st.sampled_from(names)))
    variables = dict.fromkeys(given_names, "x")
    assert variables_in(template, "mustache") == tuple(names)
    absent = tuple(name for name in names if name not in given_names)
    if not absent:
        assert set(render_text(template, "mustache", variables)) <= {"x"}
        return
    with pytest.raises(MissingVariable) as caught:
        render_text(template, "mustache", variables)
    assert caught.value.names == absent


@given(st.lists(st.sampled_from(["{{", "}}", "{{{", "#a", "/a", "^a", "=", "!", "a", ".", " ", "\n", ">", '"', "& "])))
def test_not_strict_never_raises(tokens):
    assert isinstance(render("".join(tokens), strict=False, a=[{"a": 1}]), str)


@given(st.text(st.characters(exclude_characters="{"), max_size=30))
def test_text_without_tags_stays(text):
    assert render(text) == text


def test_names_in_sections_count_and_dotted_names_by_their_head():
    assert variables_in("{{u.name}}{{#items}}{{title}}{{.}}{{/items}}{{u.age}}", "mustache") == ("u", "items", "title")


def test_what_a_falsy_section_holds_is_not_looked_up():
    assert render("{{#a}}{{b}}{{/a}}", a=False) == ""


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("\n{{a", "line 2, column 1 of the text is never closed"),
        ("{{#a}}", "never closed"),
        ("{{/a}}", "closes what is not open"),
        ("{{#a}}{{#b}}{{/a}}{{/b}}", "closes what is not open"),
        ("{{>part}}", "partial"),
        ("{{}}", "has no name"),
        ("{{=x=}}", "two delimiters"),
        ('{{"a": 1}}', "is not a name"),
        ("{{#a}}" * 200 + "{{/a}}" * 200, "nested too deeply"),
        ("{{a.b}}", "there is no 'b'"),
        ("{{a.__class__}}", "there is no '__class__'"),
        ("{{a.upper}}", "there is no 'upper'"),
    ],
)
def test_faults_are_told(template, problem):
    with pytest.raises(TemplateError, match=problem):
        render(template, a="text", b=1)


def test_missing_inside_is_empty_where_not_strict():
    assert render("[{{a.b.c}}{{x.y}}]", strict=False, a={}) == "[]"


def test_values_are_never_called():
    called = []
    render("{{a}}{{#a}}x{{/a}}", a=lambda *_: called.append(1))
    assert called == []
