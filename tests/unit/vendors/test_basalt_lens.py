"""What Basalt's lens makes of the cases that people meet."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from basalt_documents import answers, fitting_prompts, slugs
from hypothesis import given
from hypothesis import strategies as st
from lens_laws import exactly, projected, quick

from promptstore.errors import BadResponse, NotRepresentable
from promptstore.model.prompt_file import PromptFile
from promptstore.vendors.basalt import VENDOR
from promptstore.vendors.basalt.lens import LENS


@quick
@given(fitting_prompts, slugs, st.sampled_from(["text", "systemText"]), st.sampled_from(["Hello!", "{{ fresh }}\n"]))
def test_one_edit_at_the_vendor_is_one_edit_in_the_file(prompt: PromptFile, slug: str, key: str, text: str) -> None:
    document = projected(LENS, prompt, slug)
    if document is None:
        return
    lifted = LENS.lift({**document, key: text}, slug, prompt)
    assert exactly(LENS.project(lifted, slug), {**document, key: text})
    before, after = prompt.data(), lifted.data()
    assert exactly({**before, "messages": 0}, {**after, "messages": 0})
    edited = {"text": "user", "systemText": "system"}[key]
    others = [[one for one in data["messages"] if one["role"] != edited] for data in (before, after)]
    assert exactly(*others)


@quick
@given(answers, slugs)
def test_the_key_is_basalts_slug(raw: dict[str, Any], slug: str) -> None:
    assert LENS.key(LENS.project(LENS.lift(raw, slug, None), slug)) == raw["slug"]


RAW = {
    "text": "Sum up {{ ticket }}\r\n",
    "systemText": "You are careful.\n",
    "version": "1.0.0",
    "tag": "latest",
    "slug": "Prompt-Slug",
    "model": {
        "provider": "open-ai",
        "client": "azure",
        "model": "gpt-4o",
        "version": "latest",
        "parameters": {
            "temperature": 0.0,
            "topP": 1,
            "maxLength": 100,
            "responseFormat": "json_object",
            "jsonObject": None,
            "tools": {"tools": [{"name": "look"}], "toolChoice": "auto"},
            "verbosity": "low",
        },
    },
}


def test_a_prompt_as_people_read_it() -> None:
    assert LENS.lift(RAW, "prompt-slug", None).data() == {
        "model": {"provider": "open-ai", "name": "gpt-4o", "parameters": RAW["model"]["parameters"]},
        "template_format": "jinja2",
        "messages": [
            {"role": "system", "content": "You are careful.\n"},
            {"role": "user", "content": "Sum up {{ ticket }}\r\n"},
        ],
        "vendors": {"basalt": {"slug": "Prompt-Slug", "model": {"client": "azure", "version": "latest"}}},
    }


@pytest.mark.parametrize("nothing", [{"systemText": ""}, {"systemText": None}, {}])
def test_an_empty_system_text_is_none(nothing: dict[str, Any]) -> None:
    raw = {"slug": "x", "text": "Hi", "model": {"client": ""}, **nothing}
    assert LENS.normalise(raw) == {"slug": "x", "text": "Hi", "model": {"client": ""}}
    assert [message.role for message in LENS.lift(raw, "x", None).messages or ()] == ["user"]


def test_what_basalt_never_tells_comes_from_the_file() -> None:
    old = PromptFile.model_validate(
        {
            "name": "Title",
            "description": "d",
            "tags": ["cx"],
            "metadata": {"team": 1},
            "messages": [{"role": "user", "content": [{"type": "text", "text": "old", "cache_control": {"a": 1}}]}],
            "vendors": {"promptlayer": {"tags": []}},
        }
    )
    new = LENS.lift({"slug": "x", "text": "new"}, "x", old).data()
    expected = copy.deepcopy(old.data())
    expected["messages"][0]["content"][0]["text"] = "new"  # type: ignore[index,call-overload]
    assert new == expected


SYSTEM, USER = {"role": "system", "content": "s"}, {"role": "user", "content": "u"}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"content": "x"}, "content"),
        ({"messages": [USER, SYSTEM]}, "messages[1]"),
        ({"messages": [USER, USER]}, "messages[1]"),
        ({"messages": [SYSTEM, {"role": "assistant", "content": "x"}]}, "messages[1].role"),
        ({"messages": [{**USER, "name": "Bo"}]}, "messages[0].name"),
        ({"messages": [{**USER, "content": [{"type": "text", "text": "a"}] * 2}]}, "messages[0].content[1]"),
        (
            {"messages": [{**USER, "content": [{"type": "image_url", "image_url": {"url": "u"}}]}]},
            "messages[0].content[0]",
        ),
        ({"messages": [{**USER, "content": "{x!r}"}], "template_format": "f-string"}, "messages[0].content"),
        ({"messages": [{**USER, "content": "{{> x}}", "template_format": "mustache"}]}, "messages[0].content"),
        ({"messages": [USER], "tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"messages": [USER], "response_format": {"type": "json_object"}}, "response_format"),
        ({"messages": [USER], "vendors": {"basalt": {"text": "x"}}}, "vendors.basalt.text"),
        ({"messages": [USER], "vendors": {"basalt": {"version": "1"}}}, "vendors.basalt.version"),
        ({"messages": [USER], "vendors": {"basalt": {"slug": ""}}}, "vendors.basalt.slug"),
        ({"messages": [USER], "vendors": {"basalt": {"model": 1}}}, "vendors.basalt.model"),
        ({"messages": [{**USER, "vendors": {"basalt": {"x": 1}}}]}, "messages[0].vendors.basalt"),
    ],
)
def test_what_basalt_cannot_hold_is_named(data: dict[str, Any], field: str) -> None:
    with pytest.raises(NotRepresentable) as problem:
        LENS.project(PromptFile.model_validate(data), "x")
    assert problem.value.field == field
    assert problem.value.hint


@pytest.mark.parametrize(
    ("text", "fmt", "there", "edited"),
    [
        ('{"a": 1}', "none", '{"a": 1}', None),
        ("{x}", "mustache", "{x}", "{{ other }}"),
        ("Hi {x}", "f-string", "Hi {{ x }}", "{other}"),
        ("Hi {{{x}}}", "mustache", "Hi {{ x }}", "{{ other }}"),
        ("100 %}", "nunjucks", "100 %}", "{{ other }}"),
    ],
)
def test_a_text_of_another_format_is_translated_and_keeps_its_format(
    text: str, fmt: str, there: str, edited: str | None
) -> None:
    prompt = PromptFile.model_validate({"template_format": fmt, "messages": [{"role": "user", "content": text}]})
    document = LENS.project(prompt, "x")
    assert document == {"slug": "x", "text": there}
    assert LENS.lift(document, "x", prompt) is prompt
    expected = {"content": edited} if edited else {"content": "{{ other }}", "template_format": "jinja2"}
    assert LENS.lift({**document, "text": "{{ other }}"}, "x", prompt).data() == {
        "template_format": fmt,
        "messages": [{"role": "user", **expected}],
    }


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"slug": "x"},
        {"slug": "", "text": "x"},
        {"slug": "x", "text": None},
        {"slug": "x", "text": 1},
        {"slug": "x", "text": "x", "systemText": ["x"]},
        {"slug": "x", "text": "x", "model": "gpt"},
        {"slug": "x", "text": "\ud800"},
    ],
)
def test_what_is_no_prompt_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(BadResponse):
        LENS.lift(raw, "x", None)


ORDER = ["", "1", "1.0.0-beta", "1.0.0-beta.2", "1.0.0", "1.0.1", "1.9.0", "1.10.0", "2-rc", "2", "10"]


def test_versions_are_ordered_by_their_numbers() -> None:
    backwards = ORDER[::-1]
    assert sorted(backwards, key=VENDOR.version_key) == ORDER


@quick
@given(st.lists(st.text("019.-vα٣", max_size=6), max_size=6))
def test_the_order_of_versions_is_total(versions: list[str]) -> None:
    keys = [VENDOR.version_key(version) for version in versions]
    assert len({repr(key) for key in keys}) == len(set(versions))
    backwards = keys[::-1]
    assert sorted(keys) == sorted(backwards)
