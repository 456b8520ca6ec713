"""Rendering a whole prompt: messages ready for use, and everything that is missing at once."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.errors import MissingVariable, TemplateError
from promptstore.model.prompt_file import PromptFile
from promptstore.model.rendering import render, variables

FORMATS = st.sampled_from(["f-string", "jinja2", "mustache", "nunjucks", "none"])


def chat(*messages, **fields):
    return PromptFile.model_validate({"messages": list(messages), **fields})


def completion(content, **fields):
    return PromptFile.model_validate({"content": content, **fields})


def test_messages_are_ready_for_a_chat_api():
    prompt = chat(
        {"role": "system", "content": "Be {{ tone }}.", "input_variables": ["tone"], "vendors": {"x": {"a": 1}}},
        {"role": "user", "name": "ann", "content": "{a}", "template_format": "f-string"},
        {"role": "assistant"},
    )
    assert render(prompt, {"tone": "kind", "a": 3}) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "3", "name": "ann"},
        {"role": "assistant", "content": None},
    ]


def test_a_completion_is_a_text_or_parts():
    assert render(completion("{{ a }}!"), {"a": "x"}) == "x!"
    parts = [{"type": "text", "text": "{a}"}, {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}]
    assert render(completion(parts, template_format="f-string"), {"a": "x"}) == [
        {"type": "text", "text": "x"},
        {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}},
    ]


def test_everything_missing_is_named_with_its_place():
    prompt = chat(
        {"role": "system", "content": "{{ a }} {{ b }}"},
        {"role": "placeholder", "name": "history"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "{{ a }}{{ c }}"}, {"type": "media_variable", "name": "m"}],
        },
    )
    assert variables(prompt) == ("a", "b", "history", "c", "m")
    with pytest.raises(MissingVariable) as caught:
        render(prompt, {"b": 1})
    assert caught.value.names == ("a", "history", "c", "m")
    assert "'a' in messages[0].content" in caught.value.message
    assert "'history' in messages[1]" in caught.value.message
    assert "'c' in messages[2].content[0].text" in caught.value.message
    assert "-v a=..." in caught.value.hint


def test_a_fault_in_a_template_has_its_place():
    prompt = chat({"role": "user", "content": "hi"}, {"role": "user", "content": "x\n{% if %}"})
    for ask in (lambda: render(prompt, {}), lambda: variables(prompt)):
        with pytest.raises(TemplateError, match=r"messages\[1\]\.content: .*line 2 of the text"):
            ask()


def test_a_placeholder_gives_way_to_its_messages():
    prompt = chat({"role": "placeholder", "name": "history"}, {"role": "user", "content": "now"})
    history = [
        {"role": "user", "content": "{{ raw }}"},
        {"role": "assistant", "content": [{"type": "text", "text": "b"}]},
    ]
    assert render(prompt, {"history": history}) == [*history, {"role": "user", "content": "now"}]
    assert render(prompt, {"history": history[0]})[0] == history[0]
    assert render(prompt, {"history": []}) == render(prompt, {}, strict=False) == [{"role": "user", "content": "now"}]


@pytest.mark.parametrize("wrong", ["text", [1], [{"content": "no role"}], 5])
def test_a_placeholder_wants_messages(wrong):
    prompt = chat({"role": "placeholder", "name": "history"})
    with pytest.raises(TemplateError, match="not a list of messages") as caught:
        render(prompt, {"history": wrong})
    assert "role" in caught.value.hint
    assert render(prompt, {"history": wrong}, strict=False) == []


def test_images_and_media_come_from_variables():
    prompt = chat(
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "", "detail": "low"}, "image_variable": "pictures"},
                {"type": "media_variable", "name": "papers"},
                {"type": "image_url", "image_url": {"url": "https://x/{{ id }}.png"}},
                {"type": "file", "file": {"file_data": "data:,{{ id }}", "filename": "{{ id }}.pdf"}},
            ],
        }
    )
    values = {"pictures": ["a.png", {"url": "b.png"}], "papers": {"url": "p.pdf", "type": "application/pdf"}, "id": 7}
    assert variables(prompt) == ("pictures", "papers", "id")
    assert render(prompt, values)[0]["content"] == [
        {"type": "image_url", "image_url": {"url": "a.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "b.png", "detail": "low"}},
        {"type": "media", "media": {"url": "p.pdf", "type": "application/pdf"}},
        {"type": "image_url", "image_url": {"url": "https://x/7.png"}},
        {"type": "file", "file": {"file_data": "data:,{{ id }}", "filename": "7.pdf"}},
    ]
    with pytest.raises(TemplateError, match="neither an image nor media"):
        render(prompt, {**values, "pictures": [3]})


def call(arguments):
    return {"id": "c1", "type": "function", "function": {"name": "find", "arguments": arguments}}


def test_arguments_of_tool_calls_are_templates_save_in_f_strings():
    arguments = '{"city": "{{ city }}", "deep": {"a": {}}}'
    message = {"role": "assistant", "content": None, "tool_calls": [call(arguments)]}
    rendered = render(chat(message), {"city": "Rome"})
    assert rendered[0]["tool_calls"] == [call('{"city": "Rome", "deep": {"a": {}}}')]
    assert render(chat({**message, "template_format": "f-string"}), {})[0]["tool_calls"] == [call(arguments)]


def test_the_result_may_be_changed():
    part = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    prompt = chat({"role": "user", "content": [part]}, {"role": "assistant", "reasoning": [{"a": [1]}]})
    before = copy.deepcopy(prompt.data())
    rendered = render(prompt, {})
    rendered[0]["content"][0]["cache_control"]["type"] = "changed"
    rendered[1]["reasoning"][0]["a"].append(2)
    assert prompt.data() == before


@given(st.lists(st.tuples(FORMATS, st.text(max_size=30)), min_size=1, max_size=4))
def test_not_strict_never_raises(texts):
    messages = [{"role": "user", "content": text, "template_format": fmt} for fmt, text in texts]
    rendered = render(chat(*messages), {}, strict=False)
    assert [message["role"] for message in rendered] == ["user"] * len(texts)


@given(st.lists(st.tuples(st.sampled_from(["f-string", "jinja2", "mustache"]), st.sampled_from("abc")), min_size=1))
def test_the_variables_found_are_exactly_those_whose_absence_raises(uses):
    shapes = {"f-string": "{%s}", "jinja2": "{{ %s }}", "mustache": "{{%s}}"}
    prompt = chat(*({"role": "user", "template_format": fmt, "content": shapes[fmt] % name} for fmt, name in uses))
    names = tuple(dict.fromkeys(name for _, name in uses))
    assert variables(prompt) == names
    assert render(prompt, dict.fromkeys(names, "x")) == [{"role": "user", "content": "x"}] * len(uses)
    for absent in names:
        with pytest.raises(MissingVariable) as caught:
            render(prompt, {name: "x" for name in names if name != absent})
        assert caught.value.names == (absent,)
