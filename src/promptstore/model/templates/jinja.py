"""jinja2 in an immutable sandbox, with the default options PromptLayer's client uses.

No autoescaping; one trailing newline of the template is dropped; None is ``None``. A template is a program of somebody
else: it reaches no private attribute, changes no value, and its ranges, repetitions and output are capped. What it can
still do is take long: nested loops are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from traceback import extract_tb
from typing import Any

from jinja2 import ChainableUndefined, StrictUndefined, Template, TemplateSyntaxError, UndefinedError, meta
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from promptstore.model.templates.faults import MissingVariables, TemplateFault

MAX_RANGE = 100_000
MAX_OUTPUT = 20_000_000
MAX_POWER_BITS = 100_000


class Sandbox(ImmutableSandboxedEnvironment):
    """jinja2's sandbox, with a cap on what a single operation may build."""

    intercepted_binops = frozenset({"*", "**"})
    hint = "correct the template, or use template_format: none to have the text as it is"

    def __init__(self, **options: Any) -> None:
        super().__init__(undefined=StrictUndefined, **options)
        self.globals["range"] = capped_range

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        _check_size(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def compiled(self, template: str) -> Template:
        """The compiled template; subclasses may change its syntax tree first."""
        return self.from_string(template)


def capped_range(*bounds: int) -> range:
    """``range`` of a bounded length."""
    numbers = range(*bounds)
    if len(numbers) > MAX_RANGE:
        raise SecurityError(f"a range holds at most {MAX_RANGE} numbers")
    return numbers


def _check_size(operator: str, left: Any, right: Any) -> None:
    if operator == "**":
        if isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > MAX_POWER_BITS:
            raise SecurityError("the power is too large")
        return
    for text, times in ((left, right), (right, left)):
        repeated = isinstance(text, str | bytes | list | tuple) and isinstance(times, int)
        if repeated and len(text) * times > MAX_OUTPUT:
            raise SecurityError("the repetition is too long")


ENVIRONMENT = Sandbox()


def render(template: str, variables: Mapping[str, object], strict: bool) -> str:
    """The rendered text. Not strict, what is undefined is empty, at any depth."""
    return render_in(ENVIRONMENT, template, variables, strict)


def variables(template: str) -> tuple[str, ...]:
    """The names the template takes from outside, in the order of their first appearance."""
    return variables_of(ENVIRONMENT, template)


def check(template: str) -> None:
    """Raises TemplateFault where the template cannot be compiled."""
    check_in(ENVIRONMENT, template)


def check_in(environment: Sandbox, template: str) -> None:
    """Check with a given sandbox."""
    _compiled(environment, template, True)


def render_in(environment: Sandbox, template: str, variables: Mapping[str, object], strict: bool) -> str:
    """Render with a given sandbox; all that is missing is told at once."""
    compiled = _compiled(environment, template, strict)
    try:
        return _output(compiled, variables)
    except UndefinedError as problem:
        missing = _missing(environment, template, variables) if strict else ()
        if missing:
            raise MissingVariables(missing) from None
        raise _fault(environment, problem) from problem
    except Exception as problem:
        raise _fault(environment, problem) from problem


def _output(template: Template, variables: Mapping[str, object]) -> str:
    size, chunks = 0, []
    for chunk in template.generate(dict(variables)):
        size += len(chunk)
        if size > MAX_OUTPUT:
            raise SecurityError(f"the text grows beyond {MAX_OUTPUT} characters")
        chunks.append(chunk)
    return "".join(chunks)


def _missing(environment: Sandbox, template: str, variables: Mapping[str, object]) -> tuple[str, ...]:
    absent = [name for name in variables_of(environment, template) if name not in variables]
    return tuple(name for name in absent if _needed(name, absent, environment, template, variables))


def _needed(name: str, absent: list[str], environment: Sandbox, template: str, variables: Mapping[str, object]) -> bool:
    # `x is defined` and `x | default(...)` may do without x, so only a trial tells.
    others = {other: ChainableUndefined(name=other) for other in absent if other != name}
    try:
        _output(_compiled(environment, template, True), {**variables, **others})
    except UndefinedError as problem:
        return repr(name) in str(problem)
    except Exception:  # noqa: BLE001 - a trial with empty values; the first error is the one to tell
        return False
    return False


@lru_cache(maxsize=512)
def _compiled(environment: Sandbox, template: str, strict: bool) -> Template:
    chosen = environment if strict else _lenient(environment)
    try:
        return chosen.compiled(template)
    except Exception as problem:
        raise _fault(environment, problem) from problem


@lru_cache(maxsize=8)
def _lenient(environment: Sandbox) -> Sandbox:
    return environment.overlay(undefined=ChainableUndefined)


@lru_cache(maxsize=512)
def variables_of(environment: Sandbox, template: str) -> tuple[str, ...]:
    """The undeclared names of a template, in the order of their first appearance."""
    try:
        undeclared = meta.find_undeclared_variables(environment.parse(template)) - environment.globals.keys()
        seen = dict.fromkeys(name for name in _names(environment, template) if name in undeclared)
    except Exception as problem:
        raise _fault(environment, problem) from problem
    return (*seen, *sorted(undeclared - seen.keys()))


def _names(environment: Sandbox, template: str) -> Iterator[str]:
    tokens = [(kind, value) for _, kind, value in environment.lex(template) if kind != "whitespace"]
    for before, (kind, value) in pairwise([("", ""), *tokens]):
        if kind == "name" and before not in {("operator", "."), ("operator", "|")}:
            yield value


def _fault(environment: Sandbox, problem: Exception) -> TemplateFault:
    if isinstance(problem, TemplateSyntaxError):
        line: int | None = problem.lineno
        message = f"the template cannot be read: {problem.message}"
    else:
        line = _failing_line(problem)
        message = f"the template cannot be rendered: {_said(problem)}"
    return TemplateFault(f"{message} (line {line} of the text)" if line else message, environment.hint, line)


def _said(problem: Exception) -> str:
    jinja_says_it = isinstance(problem, UndefinedError | SecurityError)
    return str(problem) if jinja_says_it else f"{type(problem).__name__}: {problem}"


def _failing_line(problem: Exception) -> int | None:
    lines = [frame.lineno for frame in extract_tb(problem.__traceback__) if frame.filename == "<template>"]
    return lines[-1] if lines else None
