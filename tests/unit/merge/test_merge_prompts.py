"""The subtle cases of the three-way merge, one by one."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from promptstore.merge.three_way import Merge, merge
from promptstore.merge.values import same
from promptstore.model.prompt_file import PromptFile

Data = dict[str, Any]

SYSTEM = {"role": "system", "content": "You are a careful support agent.\n\nAnswer briefly.\n\nStay polite.\n"}
QUESTION = {"role": "user", "content": "What does {{ product }} cost in {{ country }}?"}
ANSWER = {"role": "assistant", "content": "It costs ten euros, taxes included."}
LAST = {"role": "user", "content": "{{ ticket }}"}
CHAT: Data = {"messages": [SYSTEM, QUESTION, ANSWER, LAST]}


def prompt(**fields: Any) -> PromptFile:
    return PromptFile.model_validate({**CHAT, **fields})


def chat(*messages: Data) -> PromptFile:
    return PromptFile.model_validate({"messages": [*messages]})


def fields(merged: Merge) -> list[str]:
    return [conflict.field for conflict in merged.conflicts]


def messages(merged: Merge) -> Any:
    return merged.data["messages"]


# --- messages --------------------------------------------------------------------------------------------------


def test_different_messages_can_be_edited_added_removed_and_moved_at_once() -> None:
    ours = chat({**SYSTEM, "name": "ours"}, LAST, QUESTION, ANSWER)
    theirs = chat(
        SYSTEM, QUESTION, {"role": "user", "content": "And shipping?"}, {**LAST, "content": "{{ ticket.text }}"}
    )
    merged = merge(chat(*CHAT["messages"]), ours, theirs)
    assert fields(merged) == []
    assert messages(merged) == [
        {**SYSTEM, "name": "ours"},
        {**LAST, "content": "{{ ticket.text }}"},
        QUESTION,
        {"role": "user", "content": "And shipping?"},
    ]


def test_different_paragraphs_of_one_message() -> None:
    ours = chat({**SYSTEM, "content": SYSTEM["content"].replace("careful", "very careful")})
    theirs = chat({**SYSTEM, "content": SYSTEM["content"].replace("polite", "friendly")})
    text = "You are a very careful support agent.\n\nAnswer briefly.\n\nStay friendly.\n"
    assert messages(merge(chat(SYSTEM), ours, theirs)) == [{**SYSTEM, "content": text}]


def test_one_paragraph_of_one_message_conflicts_in_that_field_alone() -> None:
    ours = chat(ANSWER, {**QUESTION, "content": "ours"}, LAST)
    theirs = chat({**QUESTION, "content": "theirs", "name": "asker"}, LAST)
    merged = merge(chat(QUESTION, LAST), ours, theirs)
    conflict = merged.conflicts[0]
    assert fields(merged) == ["messages[1].content"]
    assert (conflict.base, conflict.ours, conflict.theirs) == (QUESTION["content"], "ours", "theirs")
    assert messages(merged) == [ANSWER, {"role": "user", "name": "asker", "content": "ours"}, LAST]


def test_an_edit_of_a_removed_message_is_a_conflict() -> None:
    edited = {**ANSWER, "name": "edited"}
    for ours, theirs in (
        (chat(QUESTION, LAST), chat(QUESTION, edited, LAST)),
        (chat(QUESTION, edited, LAST), chat(QUESTION, LAST)),
    ):
        base = chat(QUESTION, ANSWER, LAST)
        merged, other = merge(base, ours, theirs), merge(base, ours, theirs, side="theirs")
        assert fields(merged) == fields(other) == ["messages[1]"]
        assert same(merged.data, ours.data())
        assert same(other.data, theirs.data())


def test_two_additions_at_one_place_are_both_kept_each_in_one_piece_whoever_merges() -> None:
    mine = [{"role": "user", "content": "b"}, {"role": "assistant", "content": "B"}]
    other = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "A"}]
    base = chat(SYSTEM, LAST)
    merged = merge(base, chat(SYSTEM, *mine, LAST), chat(SYSTEM, *other, LAST))
    swapped = merge(base, chat(SYSTEM, *other, LAST), chat(SYSTEM, *mine, LAST))
    assert fields(merged) == []
    assert messages(merged) == messages(swapped) == [SYSTEM, *other, *mine, LAST]


def test_the_same_addition_is_one() -> None:
    both = chat(SYSTEM, QUESTION, LAST)
    ours = chat(SYSTEM, QUESTION, {**LAST, "name": "asker"})
    assert messages(merge(chat(SYSTEM, LAST), ours, both)) == [SYSTEM, QUESTION, {**LAST, "name": "asker"}]


def test_the_same_two_additions_in_either_order_come_out_alike_whoever_merges() -> None:
    one, another = {"role": "placeholder", "name": "history"}, {"role": "placeholder", "name": "shots"}
    base, ours, theirs = chat(LAST), chat(another, SYSTEM, one), chat(one, another)
    merged = messages(merge(base, ours, theirs))
    assert merged == messages(merge(base, theirs, ours))
    assert {message["role"] for message in merged} == {"placeholder", "system"}


def test_a_moved_message_keeps_the_other_sides_edit() -> None:
    edited = {**QUESTION, "content": "What does {{ product }} cost in {{ country }} today?"}
    merged = merge(chat(SYSTEM, QUESTION, ANSWER), chat(SYSTEM, ANSWER, QUESTION), chat(SYSTEM, edited, ANSWER))
    assert messages(merged) == [SYSTEM, ANSWER, edited]


def test_an_addition_goes_with_the_neighbour_that_stayed() -> None:
    added = {"role": "developer", "content": "new"}
    ours = chat(SYSTEM, QUESTION, added, ANSWER, LAST)
    theirs = chat(SYSTEM, ANSWER, LAST, QUESTION)
    assert messages(merge(prompt(), ours, theirs)) == [SYSTEM, added, ANSWER, LAST, QUESTION]


def test_one_message_moved_to_two_places_is_a_conflict_of_the_list() -> None:
    items = [{"role": "user", "content": f"{word} {word} {word}"} for word in ("one", "two", "three", "four", "five")]
    first, second, third, fourth, fifth = items
    ours, theirs = chat(third, first, second, fourth, fifth), chat(first, second, fourth, fifth, third)
    merged = merge(chat(*items), ours, theirs)
    assert fields(merged) == ["messages"]
    assert same(merged.data, ours.data())


def test_a_message_that_is_written_anew_is_still_that_message() -> None:
    anew = {"role": "system", "content": "Completely other words."}
    theirs = chat({**SYSTEM, "name": "rules"}, QUESTION)
    assert messages(merge(chat(SYSTEM, QUESTION), chat(anew, QUESTION), theirs))[0] == {**anew, "name": "rules"}


def test_an_addition_beyond_a_moved_message_is_not_what_was_removed_before_it() -> None:
    items = [{"role": "user", "content": f"{word} {word} {word}"} for word in ("one", "two", "three", "four")]
    first, second, third, fourth = items
    new = {"role": "user", "content": "Completely other words."}
    merged = merge(chat(*items), chat(fourth, first, second, third), chat(first, second, fourth, new))
    assert fields(merged) == []
    assert messages(merged) == [fourth, first, second, new]


def test_a_changed_role_does_not_make_another_message() -> None:
    ours = chat({**SYSTEM, "role": "developer"}, QUESTION)
    theirs = chat({**SYSTEM, "content": SYSTEM["content"] + "\nAlways.\n"}, QUESTION)
    merged = merge(chat(SYSTEM, QUESTION), ours, theirs)
    assert messages(merged)[0] == {"role": "developer", "content": SYSTEM["content"] + "\nAlways.\n"}


def test_tool_messages_go_by_the_call_they_answer() -> None:
    def answers(*pairs: tuple[str, str]) -> PromptFile:
        return chat(*({"role": "tool", "tool_call_id": call, "content": text} for call, text in pairs))

    merged = merge(answers(("a", "1"), ("b", "2")), answers(("a", "one"), ("b", "2")), answers(("b", "2"), ("a", "1")))
    assert [message["tool_call_id"] for message in messages(merged)] == ["b", "a"]
    assert [message["content"] for message in messages(merged)] == ["2", "one"]


def test_tool_calls_go_by_id() -> None:
    def calls(**arguments: str) -> PromptFile:
        made = [
            {"id": key, "type": "function", "function": {"name": "f", "arguments": it}} for key, it in arguments.items()
        ]
        return chat({"role": "assistant", "tool_calls": made})

    merged = merge(calls(a="1", b="1"), calls(a="2", b="1"), calls(b="2", a="3", c="1"))
    assert fields(merged) == ["messages[0].tool_calls.a.function.arguments"]
    assert [call["id"] for call in messages(merged)[0]["tool_calls"]] == ["b", "a", "c"]
    assert [call["function"]["arguments"] for call in messages(merged)[0]["tool_calls"]] == ["2", "2", "1"]


def test_what_would_not_be_valid_together_is_a_conflict_of_the_message() -> None:
    base = chat({"role": "assistant", "name": "bot", "content": "x"})
    ours = chat({"role": "placeholder", "name": "bot", "content": "x"})
    theirs = chat({"role": "assistant", "content": "x"})
    merged = merge(base, ours, theirs)
    assert fields(merged) == ["messages[0]"]
    assert same(merged.data, ours.data())


def test_few_shots_with_equal_answers() -> None:
    fine = {"role": "assistant", "content": "ok"}
    shots = [item for word in ("one", "two", "three") for item in ({"role": "user", "content": word}, fine)]
    ours, theirs = [*shots], [*shots]
    ours[1], theirs[5] = {**fine, "content": "yes"}, {**fine, "content": "no"}
    merged = merge(chat(*shots), chat(*ours), chat(*theirs))
    assert [message["content"] for message in messages(merged)] == ["one", "yes", "two", "ok", "three", "no"]


def test_a_chat_too_long_to_compare_every_pair() -> None:
    items = [{"role": "user", "content": f"question {number}"} for number in range(400)]

    def named(name: str, rest: int) -> list[Data]:
        return [{**item, "name": name} if index % 2 == rest else item for index, item in enumerate(items)]

    merged = merge(chat(*items), chat(*named("ours", 0), QUESTION), chat(*named("theirs", 1)[1:]))
    assert fields(merged) == ["messages[0]"]
    assert [message.get("name") for message in messages(merged)] == [*["ours", "theirs"] * 200, None]


# --- parts -----------------------------------------------------------------------------------------------------

TEXT = {"type": "text", "text": "Look at this picture.\n\nSay what you see.\n"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}


def parts(*items: Data) -> PromptFile:
    return chat({"role": "user", "content": [*items]})


def test_different_parts_never_conflict() -> None:
    finer = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "high"}}
    seen = {**TEXT, "text": TEXT["text"].replace("Look", "Look closely")}
    merged = merge(parts(TEXT, IMAGE), parts(TEXT, finer), parts(IMAGE, seen))
    assert messages(merged)[0]["content"] == [finer, seen]


def test_a_part_in_conflict_is_named_by_its_place() -> None:
    ours, theirs = ({**TEXT, "text": TEXT["text"].replace("picture", word)} for word in ("photo", "drawing"))
    assert fields(merge(parts(IMAGE, TEXT), parts(IMAGE, ours), parts(IMAGE, theirs))) == [
        "messages[0].content[1].text"
    ]


def test_a_text_that_became_parts_conflicts_with_its_edit() -> None:
    text = {"role": "user", "content": TEXT["text"]}
    merged = merge(chat(text), parts(TEXT, IMAGE), chat({**text, "content": "Edited.\n"}))
    assert fields(merged) == ["messages[0].content"]
    assert messages(merged)[0]["content"] == [TEXT, IMAGE]


# --- chat and completion ---------------------------------------------------------------------------------------

COMPLETION = PromptFile.model_validate({"content": "Say hello."})


def test_a_chat_that_became_a_completion_where_the_other_left_it_alone() -> None:
    merged = merge(prompt(), COMPLETION, prompt(name="new"))
    assert merged.data == {"name": "new", "content": "Say hello."}


@pytest.mark.parametrize("base", [chat(SYSTEM), None], ids=["base", "no base"])
def test_a_chat_edited_and_made_a_completion(base: PromptFile | None) -> None:
    ours = chat({**SYSTEM, "name": "x"})
    merged, other = merge(base, ours, COMPLETION), merge(base, ours, COMPLETION, side="theirs")
    assert fields(merged) == ["messages"]
    assert (merged.conflicts[0].ours, merged.conflicts[0].theirs) == (ours.data()["messages"], "Say hello.")
    assert merged.data == ours.data()
    assert other.data == COMPLETION.data()


# --- tools -----------------------------------------------------------------------------------------------------


def tool(name: str, **properties: str) -> Data:
    schema = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in properties.items()},
        "required": list(properties),
    }
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def test_tools_go_by_function_name() -> None:
    base = prompt(tools=[tool("a"), tool("b"), tool("gone")])
    ours = prompt(tools=[tool("new"), tool("a", x="string"), tool("b"), tool("gone")])
    theirs = prompt(tools=[tool("b", y="string"), tool("a")])
    merged = merge(base, ours, theirs)
    assert fields(merged) == []
    assert merged.data["tools"] == [tool("new"), tool("b", y="string"), tool("a", x="string")]


def test_two_parameters_are_added_to_one_tool() -> None:
    base, ours, theirs = (
        prompt(tools=[tool("f", **properties)])
        for properties in (
            {"city": "string"},
            {"city": "string", "unit": "string"},
            {"city": "string", "days": "integer"},
        )
    )
    merged = merge(base, ours, theirs)
    assert fields(merged) == []
    assert merged.data["tools"] == [tool("f", city="string", unit="string", days="integer")]


def test_a_tool_that_both_sides_added_conflicts_where_it_differs() -> None:
    merged = merge(prompt(), prompt(tools=[tool("f", city="string")]), prompt(tools=[tool("f", city="integer")]))
    assert fields(merged) == ["tools.f.parameters.properties.city.type"]
    assert merged.data["tools"] == [tool("f", city="string")]


def test_the_same_two_tools_added_in_either_order_are_there_once() -> None:
    base = prompt(tools=[tool("old")])
    ours, theirs = prompt(tools=[tool("a"), tool("b"), tool("old")]), prompt(tools=[tool("b"), tool("a"), tool("old")])
    merged = merge(base, ours, theirs)
    assert fields(merged) == []
    assert merged.data["tools"] == merge(base, theirs, ours).data["tools"]
    assert sorted(tool["function"]["name"] for tool in merged.data["tools"]) == ["a", "b", "old"]


def test_a_removed_tool_that_was_edited() -> None:
    merged = merge(prompt(tools=[tool("get_weather")]), prompt(), prompt(tools=[tool("get_weather", city="string")]))
    assert fields(merged) == ["tools.get_weather"]
    assert "tools" not in merged.data


def test_functions_go_by_name() -> None:
    base, ours, theirs = (
        prompt(functions=[{"name": "f", "description": text}, {"name": "g", "strict": strict}])
        for text, strict in (("old", False), ("new", False), ("old", True))
    )
    merged = merge(base, ours, theirs)
    assert merged.data["functions"] == [{"name": "f", "description": "new"}, {"name": "g", "strict": True}]


def test_a_vendors_own_tool_that_loses_all_of_its_vendors_is_a_conflict() -> None:
    def search(**vendors: Any) -> PromptFile:
        return prompt(tools=[{"type": "web_search", "vendors": vendors}])

    both: Data = {"braintrust": {"n": 1}, "promptlayer": {"n": 1}}
    merged = merge(search(**both), search(braintrust={"n": 1}), search(promptlayer={"n": 1}))
    assert fields(merged) == ["tools[0]"]


# --- maps, scalars, sets ---------------------------------------------------------------------------------------

ABSENT = object()


def shown(value: Any) -> str:
    return "absent" if value is ABSENT else repr(value)


@pytest.mark.parametrize("one", [0, 0.0, 1, 1.0, True, False, None, "", ABSENT], ids=shown)
@pytest.mark.parametrize("other", [0, 0.0, 1, 1.0, True, False, None, "", ABSENT], ids=shown)
def test_values_that_look_alike_are_different(one: Any, other: Any) -> None:
    def with_value(value: Any) -> PromptFile:
        return prompt(metadata={"kept": 1} | ({} if value is ABSENT else {"x": value}))

    alike = type(one) is type(other) and one == other
    merged = merge(with_value("old"), with_value(one), with_value(other))
    assert fields(merged) == ([] if alike else ["metadata.x"])
    assert same(merged.data, with_value(one).data())
    assert same(merge(with_value(one), with_value(one), with_value(other)).data, with_value(other).data())


def test_open_maps_go_by_key_at_every_depth() -> None:
    def parameters(**values: Any) -> PromptFile:
        return prompt(model={"parameters": values})

    base = parameters(temperature=0.2, extra={"a": 1, "b": {"c": 1}}, stop=["x"], gone=1)
    ours = parameters(temperature=0.5, extra={"a": 2, "b": {"c": 1}}, stop=["x"])
    theirs = parameters(temperature=0.9, extra={"a": 1, "b": {"c": 1, "d": 1}}, stop=["y"], gone=1)
    merged = merge(base, ours, theirs)
    assert fields(merged) == ["model.parameters.temperature"]
    expected = parameters(temperature=0.5, extra={"a": 2, "b": {"c": 1, "d": 1}}, stop=["y"])
    assert same(merged.data, expected.data())


def test_a_removed_key_that_was_edited_is_a_conflict() -> None:
    base, edited, gone = prompt(metadata={"team": "cx", "a": 1}), prompt(metadata={"team": "ops", "a": 1}), {"a": 1}
    merged = merge(base, prompt(metadata=gone), edited)
    assert fields(merged) == ["metadata.team"]
    assert merged.data["metadata"] == gone
    assert fields(merge(base, prompt(), edited)) == ["metadata"]


def test_odd_keys_are_quoted_in_paths() -> None:
    values = [prompt(metadata={"a.b": {"c d": number}}) for number in range(3)]
    assert fields(merge(*values)) == ['metadata["a.b"]["c d"]']


def test_keyword_tags_are_a_set() -> None:
    merged = merge(
        prompt(tags=["a", "b", "c"]), prompt(tags=["c", "a", "mine"]), prompt(tags=["a", "b", "c", "theirs"])
    )
    assert merged.data["tags"] == ["c", "a", "mine", "theirs"]
    assert merge(prompt(tags=["a"]), prompt(), prompt(tags=["a", "b"])).data["tags"] == ["b"]
    assert "tags" not in merge(prompt(tags=["a", "b"]), prompt(tags=["a"]), prompt(tags=["b"])).data


def test_the_models_name_belongs_to_its_provider() -> None:
    def model(provider: str, name: str) -> PromptFile:
        return prompt(model={"provider": provider, "name": name})

    base, theirs = model("openai", "gpt-4o"), model("openai", "gpt-4.1")
    assert merge(base, model("azure", "gpt-4o"), theirs).data["model"] == {"provider": "azure", "name": "gpt-4.1"}
    merged = merge(base, model("anthropic", "claude"), theirs, side="theirs")
    assert fields(merged) == ["model.provider", "model.name"]
    assert merged.data["model"] == {"provider": "openai", "name": "gpt-4.1"}


def test_a_description_of_one_line_conflicts_and_paragraphs_do_not() -> None:
    assert fields(merge(*(prompt(description=text) for text in ("a", "b", "c")))) == ["description"]
    texts = ("a\n\nb\n", "A\n\nb\n", "a\n\nB\n")
    assert merge(*(prompt(description=text) for text in texts)).data["description"] == "A\n\nB\n"


# --- without a base --------------------------------------------------------------------------------------------


def test_without_a_base_what_one_side_has_is_taken_and_what_differs_conflicts() -> None:
    ours = prompt(name="ours", description="mine", tags=["a"], metadata={"x": 1, "y": 1}, tools=[tool("f")])
    theirs = prompt(name="theirs", tags=["b"], metadata={"y": 2, "z": 1}, tools=[tool("g")])
    merged = merge(None, ours, theirs)
    assert fields(merged) == ["name", "metadata.y"]
    assert merged.data["description"] == "mine"
    assert merged.data["tags"] == ["a", "b"]
    assert merged.data["metadata"] == {"x": 1, "y": 1, "z": 1}
    assert [each["function"]["name"] for each in merged.data["tools"]] == ["f", "g"]


def test_without_a_base_messages_that_pair_up_conflict_one_by_one() -> None:
    theirs = copy.deepcopy(CHAT)
    theirs["messages"][3]["content"] = "{{ question }}"
    assert fields(merge(None, prompt(), PromptFile.model_validate(theirs))) == ["messages[3].content"]


def test_without_a_base_nobody_knows_which_message_was_added_or_removed() -> None:
    merged = merge(None, prompt(), chat(SYSTEM, LAST))
    assert fields(merged) == ["messages"]
    assert messages(merged) == CHAT["messages"]
