"""Families of prompts for properties: a base, and two sides that people have edited, not independent noise.

Everything is built on ``random.Random``, so that hypothesis can draw and shrink it, and a long campaign can seed it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from promptstore.model.prompt_file import PromptFile

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Data = dict[str, Any]

_PROSE = """
    you are a careful support agent answer the question in one short sentence never reveal customer data summarise
    ticket history with dates amounts names tone polite formal french list every open point first ask when unsure use
    markdown tables code json schema tool call weather city refund invoice order shipping
"""
VOCABULARY = tuple(_PROSE.split())
SCALARS: tuple[Any, ...] = (0, 0.0, 1, 1.0, True, False, None, "", "0", "on", 0.2, -1, [], {}, ["a"], [1, 1.0])
KEYS = ("team", "owner", "a.b", "temperature", "top_p", "max_tokens", "x y", "nested")
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Family(NamedTuple):
    base: PromptFile
    ours: PromptFile
    theirs: PromptFile


# --- writing ---------------------------------------------------------------------------------------------------


def line(random: Random) -> str:
    words = [random.choice(VOCABULARY) for _ in range(random.randint(2, 8))]
    return " ".join([*words, f"{random.randrange(10_000):04d}"])


def paragraph(random: Random) -> str:
    end = random.choice(("\n", "\n", "\n", "\r\n"))
    return end.join(line(random) for _ in range(random.randint(1, 3)))


def prose(random: Random) -> str:
    text = "\n\n".join(paragraph(random) for _ in range(random.randint(1, 5)))
    return text + random.choice(("\n", "\n", "", "\n\n"))


def open_map(random: Random, depth: int = 1) -> Data:
    return {random.choice(KEYS): open_value(random, depth) for _ in range(random.randint(0, 4))}


def open_value(random: Random, depth: int) -> Any:
    roll = random.random()
    if roll < 0.2 and depth:
        return open_map(random, depth - 1)
    return prose(random) if roll < 0.3 else copy.deepcopy(random.choice(SCALARS))


def part(random: Random) -> Data:
    kind = random.randrange(6)
    url = f"https://example.com/{random.randrange(20)}.png"
    if kind < 3:
        return {"type": "text", "text": prose(random)}
    if kind == 3:
        return {"type": "image_url", "image_url": {"url": url, "detail": random.choice(("low", "high"))}}
    if kind == 4:
        return {"type": "thinking", "thinking": prose(random)}
    return {"type": "code", "vendors": {"braintrust": open_map(random)}}


def content(random: Random) -> Any:
    if random.random() < 0.75:
        return prose(random)
    return [part(random) for _ in range(random.randint(0, 4))]


def call(random: Random) -> Data:
    function = {"name": random.choice(("get_weather", "refund")), "arguments": '{"city": "Oslo"}'}
    return {"id": f"call_{random.randrange(6)}", "type": "function", "function": function}


def message(random: Random) -> Data:
    role = random.choice(("system", "user", "user", "assistant", "assistant", "tool", "placeholder", "developer"))
    if role == "placeholder":
        return {"role": role, "name": random.choice(("history", "examples"))}
    made: Data = {"role": role, "content": content(random)}
    if role == "tool":
        made["tool_call_id"] = f"call_{random.randrange(6)}"
    if role == "assistant" and random.random() < 0.3:
        made["tool_calls"] = [call(random) for _ in range(random.randint(1, 2))]
    if role == "assistant" and random.random() < 0.1:
        del made["content"]
    return made


def tool(random: Random) -> Data:
    if random.random() < 0.15:
        kind = random.choice(("web_search", "code"))
        return {"type": kind, "vendors": {"promptlayer": {"depth": random.randrange(4)}}}
    name = random.choice(("get_weather", "refund", "search", "close"))
    return {"type": "function", "function": {"name": name, "description": line(random), "parameters": CITY}}


def prompt_data(random: Random) -> Data:
    data: Data = {}
    if random.random() < 0.15:
        data["content"] = content(random)
    else:
        data["messages"] = [message(random) for _ in range(random.randint(0, 6))]
    for _ in range(random.randint(0, 8)):
        random.choice(FIELD_EDITS)(data, random)
    return data


# --- editing ---------------------------------------------------------------------------------------------------

Edit = Callable[[Data, Random], None]


def set_name(data: Data, random: Random) -> None:
    data["name"] = line(random)


def set_description(data: Data, random: Random) -> None:
    data["description"] = edited_text(data.get("description", ""), random)


def set_tags(data: Data, random: Random) -> None:
    tags = [tag for tag in data.get("tags", []) if random.random() < 0.8]
    data["tags"] = tags + random.sample(("support", "beta", "fr", "long", "qa"), random.randint(0, 2))


def set_model(data: Data, random: Random) -> None:
    model = data.setdefault("model", {})
    field = random.choice(("provider", "name", "parameters"))
    model[field] = edited_map(model.get(field, {}), random) if field == "parameters" else random.choice(VOCABULARY)


def set_format(data: Data, random: Random) -> None:
    data["template_format"] = random.choice(("jinja2", "f-string", "mustache", "none"))


def set_map(data: Data, random: Random) -> None:
    key = random.choice(("metadata", "response_format"))
    data[key] = edited_map(data.get(key, {}), random)


def set_vendors(data: Data, random: Random) -> None:
    vendors = data.setdefault("vendors", {})
    vendor = random.choice(("promptlayer", "braintrust"))
    vendors[vendor] = edited_map(vendors.get(vendor, {}), random)


def set_variables(data: Data, random: Random) -> None:
    data["input_variables"] = random.sample(("ticket", "city", "tone"), random.randint(0, 3))


def set_choice(data: Data, random: Random) -> None:
    data["tool_choice"] = random.choice(("auto", {"type": "function", "function": {"name": "refund"}}))


def edit_tools(data: Data, random: Random) -> None:
    data["tools"] = edited_list(data.get("tools", []), random, tool, edited_tool)


def edit_functions(data: Data, random: Random) -> None:
    made = [{"name": name, "description": line(random)} for name in random.sample(("a", "b", "c"), 2)]
    data["functions"] = edited_list(data.get("functions", []), random, lambda _: made[0], lambda _item, _r: made[1])


def drop_field(data: Data, random: Random) -> None:
    fields = [key for key in data if key not in ("messages", "content")]
    if fields:
        del data[random.choice(fields)]


def edit_body(data: Data, random: Random) -> None:
    if "content" in data:
        data["content"] = edited_content(data["content"], random)
    else:
        data["messages"] = edited_list(data["messages"], random, message, edited_message)


def change_kind(data: Data, random: Random) -> None:
    if random.random() < 0.9:
        edit_body(data, random)
    elif "content" in data:
        data["messages"] = [{"role": "user", "content": data.pop("content")}]
    else:
        data.pop("messages")
        data["content"] = prose(random)


FIELD_EDITS: tuple[Edit, ...] = (
    set_name,
    set_description,
    set_tags,
    set_model,
    set_format,
    set_map,
    set_vendors,
    set_variables,
    set_choice,
    edit_tools,
    edit_functions,
)
EDITS: tuple[Edit, ...] = (*FIELD_EDITS, drop_field, *[edit_body] * 8, change_kind)


def edited_map(value: Any, random: Random) -> Data:
    made: Data = dict(value) if isinstance(value, dict) else {}
    for _ in range(random.randint(1, 2)):
        key = random.choice(KEYS)
        if key in made and random.random() < 0.3:
            del made[key]
        elif isinstance(made.get(key), dict):
            made[key] = edited_map(made[key], random)
        elif isinstance(made.get(key), str) and made[key]:
            made[key] = edited_text(made[key], random)
        else:
            made[key] = open_value(random, 1)
    return made


def edited_text(text: str, random: Random) -> str:
    paragraphs = text.split("\n\n")
    at = random.randrange(len(paragraphs))
    roll = random.random()
    if roll < 0.5:
        lines = paragraphs[at].split("\n")
        lines[random.randrange(len(lines))] = line(random)
        paragraphs[at] = "\n".join(lines)
    elif roll < 0.7:
        paragraphs.insert(at, paragraph(random))
    elif roll < 0.8 and len(paragraphs) > 1:
        del paragraphs[at]
    elif roll < 0.9:
        paragraphs[at] = paragraph(random)
    else:
        return text.removesuffix("\n") if text.endswith("\n") else text + "\n"
    return "\n\n".join(paragraphs)


def edited_content(value: Any, random: Random) -> Any:
    if value is None:
        return prose(random)
    if isinstance(value, str):
        return [{"type": "text", "text": value}, part(random)] if random.random() < 0.1 else edited_text(value, random)
    return edited_list(value, random, part, edited_part)


def edited_part(value: Data, random: Random) -> Data:
    made = copy.deepcopy(value)
    for key in ("text", "thinking"):
        if key in made:
            made[key] = edited_text(made[key], random)
    if "image_url" in made:
        made["image_url"]["detail"] = random.choice(("low", "high", "auto"))
    if "vendors" in made:
        made["vendors"][random.choice(("braintrust", "promptlayer"))] = open_map(random)
    return made


def edited_tool(value: Data, random: Random) -> Data:
    made = copy.deepcopy(value)
    if "function" not in made:
        made["vendors"]["promptlayer"] = {"depth": random.randrange(4)}
    elif random.random() < 0.5:
        made["function"]["description"] = line(random)
    else:
        schema, name = made["function"]["parameters"], random.choice(("unit", "days", "city", "required"))
        schema["properties"][name] = {"type": random.choice(("string", "integer"))}
        schema["required"] = sorted({*schema["required"], name})
    return made


def edited_message(value: Data, random: Random) -> Data:
    made = copy.deepcopy(value)
    roll = random.random()
    if made["role"] == "placeholder":
        made["name"] = random.choice(("history", "examples", "shots"))
    elif roll < 0.7:
        made["content"] = edited_content(made.get("content"), random)
    elif roll < 0.8:
        made["name"] = random.choice(VOCABULARY)
    elif roll < 0.85:
        made["role"] = random.choice(("system", "user", "assistant"))
        made.setdefault("content", None)
    elif roll < 0.9:
        made["tool_calls"] = edited_list(made.get("tool_calls", []), random, call, lambda *_: call(random))
    else:
        made["vendors"] = {"promptlayer": edited_map(made.get("vendors", {}).get("promptlayer", {}), random)}
    return made


def edited_list(
    items: list[Any], random: Random, new: Callable[[Random], Any], edited: Callable[[Any, Random], Any]
) -> list[Any]:
    made, roll = list(items), random.random()
    at = random.randrange(len(made) + 1)
    if at == len(made) or roll < 0.2:
        made.insert(at, new(random))
    elif roll < 0.3:
        del made[at]
    elif roll < 0.4:
        moving = made.pop(at)
        made.insert(random.randrange(len(made) + 1), moving)
    else:
        made[at] = edited(made[at], random)
    return made


def edited(data: Data, random: Random, edits: int) -> PromptFile:
    made = copy.deepcopy(data)
    for _ in range(edits):
        random.choice(EDITS)(made, random)
    return PromptFile.model_validate(made)


def family(random: Random) -> Family:
    """A base and two sides, each with some edits of anything."""
    base = PromptFile.model_validate(prompt_data(random))
    data, most = base.data(), random.choice((3, 3, 12))
    return Family(base, edited(data, random, random.randint(0, most)), edited(data, random, random.randint(0, most)))


# --- edits that keep out of each other's way -------------------------------------------------------------------


def distinct_messages(random: Random) -> list[Data]:
    """Messages that a person would not mistake for one another: each line of them is another one."""
    count = random.randint(2, 7)
    roles = random.choices(("system", "user", "assistant"), k=count)
    texts = ["\n\n".join(unique_line(random, f"{index}{row}") for row in range(3)) for index in range(count)]
    return [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)]


def unique_line(random: Random, mark: str) -> str:
    return " ".join(f"{random.choice(VOCABULARY)}{mark}" for _ in range(6))


def families_of_messages(random: Random) -> Family:
    """Each side edits, removes or moves messages that the other leaves alone, and adds some of its own."""
    messages = distinct_messages(random)
    owners = [random.choice(("ours", "theirs", "nobody")) for _ in messages]
    base = PromptFile.model_validate({"messages": messages})
    return Family(base, *(_own_edits(messages, owners, side, random) for side in ("ours", "theirs")))


def _own_edits(messages: list[Data], owners: list[str], side: str, random: Random) -> PromptFile:
    made = [copy.deepcopy(item) for item in messages]
    own = [item for item, owner in zip(messages, owners, strict=True) if owner == side]
    moving = random.randrange(len(own) * 2) if own else 0
    for number, item in enumerate(own):
        _edit_one(made, made.index(item), random, side, move=number == moving)
    for number in range(random.randint(0, 2)):
        text = unique_line(random, f"{side}{number}")
        made.insert(random.randrange(len(made) + 1), {"role": "user", "content": text})
    return PromptFile.model_validate({"messages": made})


def _edit_one(messages: list[Data], at: int, random: Random, side: str, *, move: bool) -> None:
    """One side moves one message: of several moves others may be the simpler explanation."""
    roll = random.randrange(3)
    if move:
        messages.insert(random.randrange(len(messages)), messages.pop(at))
    elif roll == 0:
        del messages[at]
    elif roll == 1:
        messages[at] = {**messages[at], "name": f"name-{side}"}
    else:
        lines = messages[at]["content"].split("\n\n")
        lines[random.randrange(len(lines))] = unique_line(random, f"new{side}{at}")
        messages[at] = {**messages[at], "content": "\n\n".join(lines)}


def texts_apart(random: Random) -> tuple[str, str, str]:
    """A text, and two that rewrite, remove or precede different paragraphs of it."""
    paragraphs = [f"{unique_line(random, str(index))}\n" for index in range(random.randint(2, 9))]
    owners = [random.choice(("ours", "theirs", "nobody")) for _ in paragraphs]
    sides = ("nobody-at-all", "ours", "theirs")
    base, ours, theirs = ("\n".join(_own_paragraphs(paragraphs, owners, side, random)) for side in sides)
    return base, ours, theirs


def _own_paragraphs(paragraphs: list[str], owners: list[str], side: str, random: Random) -> list[str]:
    made: list[str] = []
    for text, owner in zip(paragraphs, owners, strict=True):
        kept = [text] if owner != side else random.choice(([text.upper()], [], [f"{side}\n", text]))
        made += kept
    return made


def drawn(build: Callable[[Random], Any]) -> SearchStrategy[Any]:
    """What ``build`` makes of a random source that hypothesis draws."""
    from hypothesis import strategies as st  # a campaign does without it, and starts sooner

    return st.randoms(use_true_random=False).map(build)
