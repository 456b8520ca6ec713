"""From a file's text to a prompt: every problem with its place in the file, in plain words, with the next step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from promptstore.errors import InvalidPrompt, Where
from promptstore.model.yaml.nodes import Mapping as MappingNode
from promptstore.model.yaml.nodes import Path, find, plain
from promptstore.model.yaml.reader import read
from promptstore.model.yaml.shapes import OPEN, Slot, below, prompt_slot

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from promptstore.model.prompt_file import PromptFile


def parse_prompt(text: bytes | str, path: str | None = None) -> PromptFile:
    """The prompt that a file's text means. ``path`` names the file in errors.

    Raises InvalidPrompt for the first problem; its ``problems`` hold all of them, each at file:line:column.
    """
    from pydantic import ValidationError

    from promptstore.model.prompt_file import PromptFile

    root = read(text, path)
    data = plain(root)
    try:
        return PromptFile.model_validate(data)
    except ValidationError as error:
        raise _all_of([_in_file(problem, root, path) for problem in _problems(error, data)]) from None


def problems(text: bytes | str, path: str | None = None) -> list[InvalidPrompt]:
    """All problems of a prompt file, in the order of the text; none where it is valid."""
    try:
        parse_prompt(text, path)
    except InvalidPrompt as error:
        return list(error.problems)
    return []


def prompt_from(data: Mapping[str, Any], path: str | None = None) -> PromptFile:
    """The prompt that data from elsewhere means; problems name their place like ``messages[0].content``.

    Raises InvalidPrompt as ``parse_prompt`` does.
    """
    from pydantic import ValidationError

    from promptstore.model.prompt_file import PromptFile

    try:
        return PromptFile.model_validate(dict(data))
    except ValidationError as error:
        raise _all_of([_by_path(problem, path) for problem in _problems(error, data)]) from None


class _Problem(NamedTuple):
    place: Path
    at_key: bool
    """Is it about the key itself, rather than its value?"""
    message: str
    hint: str


def _all_of(found: list[InvalidPrompt]) -> InvalidPrompt:
    found.sort(key=lambda problem: (problem.where.line or 0, problem.where.column or 0))
    first = found[0]
    return InvalidPrompt(first.message, where=first.where, hint=first.hint, problems=tuple(found))


def _in_file(problem: _Problem, root: MappingNode, path: str | None) -> InvalidPrompt:
    place = problem.place
    node = find(root, place) or root
    if problem.at_key and isinstance(place[-1], str):
        parent = find(root, place[:-1])
        entry = parent.get(place[-1]) if isinstance(parent, MappingNode) else None
        node = entry.key if entry else node
    return InvalidPrompt(problem.message, where=Where(path, node.line, node.column), hint=problem.hint)


def _by_path(problem: _Problem, path: str | None) -> InvalidPrompt:
    place = problem.place[:-1] if problem.at_key else problem.place
    named = f"{place_name(place)}: {problem.message}" if place else problem.message
    return InvalidPrompt(named, where=Where(path), hint=problem.hint)


def place_name(place: Path) -> str:
    """``("messages", 0, "content")`` as ``messages[0].content``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(steps).removeprefix(".")


class _Finding(NamedTuple):
    """An error of pydantic's, with its place in our data."""

    error: ErrorDetails
    place: Path
    branch: str
    """The last choice among a union's that pydantic was in."""
    slot: Slot
    """What belongs at the place (for a missing or unknown key: at its map)."""
    value: Any


def _problems(error: ValidationError, data: Any) -> list[_Problem]:
    """Pydantic's errors in our words: at most one for a place, and no noise from union members not meant."""
    findings = [_locate(each, data) for each in error.errors(include_url=False)]
    made: dict[tuple[Path, bool], _Problem] = {}
    for finding in findings:
        for problem in _explain(finding):
            made.setdefault((problem.place, problem.at_key), problem)
    guessed = {(problem.place[:-1], problem.hint) for problem in made.values() if problem.at_key}
    return [problem for problem in made.values() if not _guessed(problem, guessed)] or list(made.values())


def _guessed(problem: _Problem, guessed: set[tuple[Path, str]]) -> bool:
    """Is this a missing key that an unknown key next to it is most likely meant to be?"""
    if not problem.message.startswith("missing key "):
        return False
    missing = problem.message.removeprefix("missing key ")
    return (problem.place, f"did you mean {missing}?") in guessed


def _locate(error: ErrorDetails, data: Any) -> _Finding:
    """Walk pydantic's location: steps that only name a union's member lead nowhere in the data."""
    slot, value, branch, skipped = prompt_slot(), data, "", False
    place: Path = ()
    steps = list(error["loc"])
    about_key = steps and error["type"] in ("missing", "extra_forbidden")
    last = str(steps.pop()) if about_key else ""
    for step in steps:
        if slot.union and not skipped:
            branch, skipped = str(step), True
            continue
        slot, value = _down(slot, value, step)
        place, branch, skipped = (*place, step), "", False
    return _Finding(error, (*place, last) if about_key else place, branch, slot, value)


def _down(slot: Slot, value: Any, step: str | int) -> tuple[Slot, Any]:
    if isinstance(step, int):
        inside = isinstance(value, list | tuple) and step < len(value)
        return slot.item or OPEN, value[step] if inside else None
    return below(slot.shape(value), step), value.get(step) if isinstance(value, Mapping) else None


def _explain(finding: _Finding) -> Iterator[_Problem]:
    kind = finding.error["type"]
    if finding.branch == "vendor" and isinstance(finding.value, Mapping):
        yield from _explain_vendor_branch(finding)
    elif kind == "extra_forbidden":
        yield _unknown_key(finding)
    elif kind == "missing":
        name = finding.place[-1]
        yield _Problem(finding.place[:-1], False, f"missing key '{name}'", f"add '{name}:'")
    elif finding.branch == "str" and isinstance(finding.value, Mapping):
        return  # a map was meant, and what is wrong in it is told by the other member of the union
    else:
        yield _Problem(finding.place, False, *_wrong_value(finding))


def _explain_vendor_branch(finding: _Finding) -> Iterator[_Problem]:
    """A part or tool of no known type: with ``vendors`` it is a vendor's own, without it is a mistake."""
    value, kind = finding.value, finding.error["type"]
    about_key = kind in ("missing", "extra_forbidden")
    base = finding.place[:-1] if about_key else finding.place
    noun = "part" if len(finding.slot.maps) > 2 else "tool"
    known = [shape.kind for shape in finding.slot.maps if shape.kind]
    if "type" not in value:
        yield _Problem(base, False, "missing key 'type'", f"a {noun} has a type: {_listed(known)}")
    elif isinstance(value["type"], str) and "vendors" not in value:
        hint = _nearest(value["type"], known) or f"known: {_listed(known)}"
        hint += "; what only one vendor has stands under 'vendors'"
        yield _Problem((*base, "type"), False, f"unknown {noun} type '{value['type']}'", hint)
    elif kind == "extra_forbidden":
        hint = f"'{value['type']}' is a vendor's own {noun} type: keep its keys under 'vendors'"
        yield _Problem(finding.place, True, f"unknown key '{finding.place[-1]}'", hint)
    else:
        yield _Problem(finding.place, False, *_wrong_value(finding))


def _unknown_key(finding: _Finding) -> _Problem:
    name = str(finding.place[-1])
    shape = finding.slot.shape(finding.value)
    known = list(shape.fields) if shape else []
    hint = _nearest(name, known) or f"known: {_listed(known)}"
    return _Problem(finding.place, True, f"unknown key '{name}'", hint)


def _nearest(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else ""


def _listed(words: list[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


_WANTED = {
    "string_type": "a text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
}
_ARTICLES = {"text": "a text", "list": "a list", "map": "a map"}


def _wrong_value(finding: _Finding) -> tuple[str, str]:
    """What is wrong with a value, and the next step."""
    error, value, kind = finding.error, finding.value, finding.error["type"]
    name = _subject(finding.place)
    if kind == "literal_error":
        return _not_among(finding)
    if kind in _WANTED:
        wanted = " or ".join(_ARTICLES.get(each, each) for each in finding.slot.kinds) or _WANTED[kind]
        return f"{name} must be {wanted}, not {_shown(value)}", _how_to(wanted, value)
    if kind in ("string_too_short", "too_short"):
        return f"{name} is empty", "fill it, or remove the key"
    if kind == "value_error":
        return str(error["ctx"]["error"]), _next_step(str(error["ctx"]["error"]))
    return f"{name}: {error['msg']}", "see the schema: promptstore schema"


def _not_among(finding: _Finding) -> tuple[str, str]:
    known = str(finding.error["ctx"]["expected"]).replace("' or '", "', '").strip("'").split("', '")
    shown = f"'{finding.value}'" if isinstance(finding.value, str) else _shown(finding.value)
    near = _nearest(finding.value, known) if isinstance(finding.value, str) else ""
    return f"unknown {finding.place[-1]} {shown}", near or f"known: {_listed(known)}"


def _subject(place: Path) -> str:
    if not place:
        return "a prompt"
    last = place[-1]
    return f"'{last}'" if isinstance(last, str) else f"item {last + 1} of {_subject(place[:-1])}"


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a text" if isinstance(value, str) else "a list" if isinstance(value, list | tuple) else "a map"


def _how_to(wanted: str, value: Any) -> str:
    if "text" in wanted and isinstance(value, int | float):
        shown = str(value).lower() if isinstance(value, bool) else value
        return f'put it in quotes: "{shown}"'
    if "text" in wanted and isinstance(value, Mapping):
        return 'put text that begins with "{" in quotes: "{{ x }}"'
    if value is None:
        return "fill it, or remove the key"
    return {"a list": "write [a, b], or one '- item' a line", "a map": "write 'key: value' lines below it"}.get(
        wanted, f"write {wanted}"
    )


def _next_step(said: str) -> str:
    if "not both" in said:
        return "remove one of the two"
    if "messages" in said:
        return "add 'messages:' or 'content:'"
    return f"add '{said.split(chr(39))[1]}:'"
