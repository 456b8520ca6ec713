"""The translation between jinja2 and nunjucks, judged by nunjucks itself in node."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from template_trees import expected, plain_trees, shared_trees, spelled, values

from promptstore.model.templates.translate import Untranslatable, translate
from promptstore.model.templates.translation import write_jinja

pytestmark = pytest.mark.slow

Renderer = Callable[[str, dict[str, Any]], str]
many = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


class NotNunjucks(Exception):
    """nunjucks refuses the template."""


_SCRIPT = """
const nunjucks = require('nunjucks');
const environment = new nunjucks.Environment(null, {autoescape: false});
require('readline').createInterface({input: process.stdin}).on('line', line => {
  const {template, variables} = JSON.parse(line);
  let answer;
  try { answer = {text: environment.renderString(template, variables)}; }
  catch (problem) { answer = {problem: String(problem)}; }
  process.stdout.write(JSON.stringify(answer) + '\\n');
});
"""


@pytest.fixture(scope="module")
def nunjucks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renderer]:
    folder = tmp_path_factory.mktemp("nunjucks")
    _install(folder)
    with subprocess.Popen(
        ["node", "-e", _SCRIPT], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        yield lambda template, variables: _ask(process, template, variables)
        process.terminate()


def _install(folder: Path) -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), "nunjucks@3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot install nunjucks here: {done.stderr.strip()[:200]}")


def _ask(process: subprocess.Popen[str], template: str, variables: dict[str, Any]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"template": template, "variables": variables}) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    if "problem" in answer:
        raise NotNunjucks(answer["problem"])
    text: str = answer["text"]
    return text


@many
@given(shared_trees, values)
def test_the_shared_part_renders_the_same(nunjucks: Renderer, tree: Any, variables: dict[str, Any]) -> None:
    text = write_jinja.write(tree, "jinja2")
    there = translate(text, "jinja2", "nunjucks")
    rendered = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(text).render(variables)
    assert nunjucks(there, variables) == rendered


@many
@given(plain_trees, values)
def test_plain_variables_render_the_same(nunjucks: Renderer, tree: Any, variables: dict[str, Any]) -> None:
    for source in ("f-string", "mustache"):
        text = translate(spelled(tree, source), source, "nunjucks")
        assert nunjucks(text, variables) == expected(tree, variables)


phrases = [
    *("{{ x }}", "{{- x -}}", "{{+ x }}", "{% if x %}", "{%- if y -%}", "{% else %}", "{% elif y %}", "{% endif %}"),
    *("{% if not x == 'a' %}", "{% if not (x == 'a') %}", "{% if x is not defined %}", "{% if loop.last %}"),
    *("{% for a in xs %}", "{{ a | upper }}{{ loop.index }}", "{% endfor %}", "{% raw %}", "{% endraw %}", "{# c #}"),
    *("{% if xs|length > 0 %}", "{{ xs | length }}", "{{ m['a'] }}", "{{ 7 }}", " \n ", "\r\n", "t", "{", "}", "#}"),
]


@many
@given(st.lists(st.sampled_from(phrases), max_size=6).map("".join))
def test_nunjucks_of_every_shape_is_refused_or_says_the_same(nunjucks: Renderer, template: str) -> None:
    variables = {"x": "b", "y": "", "xs": ["1", "2"], "m": {"a": "c"}}
    try:
        there = translate(template, "nunjucks", "jinja2")
        truth = nunjucks(template, variables)
    except (Untranslatable, NotNunjucks):
        return
    assert jinja2.Environment().from_string(there).render(variables) == truth


@pytest.mark.parametrize(
    "template",
    [
        "a \n{%- if x -%} \n b {{- x -}} c\n{% endif -%}\n d",
        "{% if not (x == 'a') and x != 'b' or flag %}1{% endif %}\n",
        "{% for a in xs %}{{ loop.revindex0 }}{% for b in xs %}{{ b }}{{ loop.index }}{% endfor %}{% endfor %}",
        "{% if x is not defined or nowhere is defined %}1{% else %}2{% endif %}",
        "{{ x | replace('\\n', ', ') }}\r\n{{ \"\\\\\" }}{# c #}{% raw %}{{ x }}{% endraw %}",
        "{{ nowhere | default('none of it') | upper }}{{ xs | join }}",
    ],
)
def test_what_nunjucks_says_is_what_jinja2_says(nunjucks: Renderer, template: str) -> None:
    variables = {"x": "b\nc", "flag": False, "xs": ["1", "2"]}
    there = translate(template, "nunjucks", "jinja2")
    assert jinja2.Environment().from_string(there).render(variables) == nunjucks(template, variables)
