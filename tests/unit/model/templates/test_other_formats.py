"""nunjucks through the jinja2 sandbox, and texts that are no templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.errors import MissingVariable, TemplateError
from promptstore.model.templates import render_text, variables_in


def nunjucks(template, strict=True, **variables):
    return render_text(template, "nunjucks", variables, strict=strict)


def test_the_common_subset_renders():
    template = "{% for i in items %}{{ loop.index }}:{{ i.name | upper }} {% else %}none{% endfor %}"
    assert nunjucks(template, items=[{"name": "a"}, {"name": "b"}]) == "1:A 2:B "
    assert nunjucks(template, items=[]) == "none"
    assert variables_in(template, "nunjucks") == ("items",)


def test_values_are_written_as_nunjucks_writes_them():
    assert nunjucks("{{ t }},{{ n }},{{ m | dump }}\n", t=True, n=None, m={"a": [1]}) == 'true,,{"a":[1]}\n'


def test_a_map_is_walked_by_key_and_value():
    template = "{% for k, v in m %}{{ k }}={{ v }};{% endfor %}"
    assert nunjucks(template, m={"ab": 1, "cd": 2}) == "ab=1;cd=2;"
    assert nunjucks(template, m=[["ab", 1]]) == "ab=1;"


@pytest.mark.parametrize(
    "template",
    [
        "{% if a === 1 %}{% endif %}",
        "{% if a %}{% elseif a %}{% endif %}",
        "{% switch a %}{% case 1 %}{% endswitch %}",
        "{% asyncEach x in a %}{% endeach %}",
        "{{ a.length }}",
    ],
)
def test_what_only_nunjucks_has_is_told(template):
    with pytest.raises(TemplateError) as caught:
        nunjucks(template, a="x")
    assert "nunjucks" in caught.value.hint


def test_missing_variables_are_named():
    with pytest.raises(MissingVariable) as caught:
        nunjucks("{{ a }}{{ b.c }}")
    assert caught.value.names == ("a", "b")
    assert nunjucks("[{{ a }}{{ b.c }}{% for x in d %}{% endfor %}]", strict=False) == "[]"


@given(st.text())
def test_none_is_verbatim(text):
    assert render_text(text, "none", {}) == text
    assert variables_in(text, "none") == ()


@given(st.text(), st.sampled_from(["f-string", "jinja2", "mustache", "nunjucks", "none"]))
def test_not_strict_never_raises(text, fmt):
    assert isinstance(render_text(text, fmt, {}, strict=False), str)
