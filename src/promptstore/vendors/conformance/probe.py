"""A probe: the safe cases and the open questions, asked of a workspace, and what came of each as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from promptstore.errors import AuthError, PromptStoreError, RemoteRejected, RemoteUnreachable
from promptstore.vendors.base import Vendor
from promptstore.vendors.conformance.case import Case
from promptstore.vendors.conformance.ground import Ground
from promptstore.vendors.conformance.questions import Asking, Question
from promptstore.vendors.conformance.verdicts import Differs, NotApplicable

Outcome = Literal["as-assumed", "differs", "refused", "failed", "not-tried"]


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one case. ``detail`` says why, where it is not as assumed."""

    name: str
    says: str
    outcome: Outcome
    detail: str = ""
    hint: str = ""

    def as_json(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one question. ``found`` is None where the probe could not settle it; ``detail`` says why."""

    name: str
    asks: str
    assumed: str
    found: str | None
    detail: str = ""

    @property
    def differs(self) -> bool:
        return self.found is not None and self.assumed not in ("", self.found)

    def as_json(self) -> dict[str, Any]:
        return {**{name: getattr(self, name) for name in self.__slots__}, "differs": self.differs}


@dataclass(frozen=True, slots=True)
class Report:
    """All of a probe. ``left`` are the prompts of its own that it could not delete: slug -> why."""

    prefix: str
    cases: tuple[Tried, ...]
    questions: tuple[Answered, ...]
    left: Mapping[str, str]
    requests: int

    @property
    def as_assumed(self) -> bool:
        """Whether nothing differs and nothing was left behind."""
        outcomes = {case.outcome for case in self.cases}
        return not outcomes & {"differs", "failed"} and not any(one.differs for one in self.questions) and not self.left

    def as_json(self) -> dict[str, Any]:
        return {
            "prefix": self.prefix,
            "cases": [case.as_json() for case in self.cases],
            "questions": [question.as_json() for question in self.questions],
            "left": [{"slug": slug, "reason": reason} for slug, reason in self.left.items()],
            "requests": self.requests,
        }


def tried_on(vendor: Vendor, cases: Iterable[Case]) -> list[Case]:
    """The cases that a real workspace may be asked: those that leave nothing behind; without an API to write, those
    that only look."""
    return [
        case
        for case in cases
        if case.safe and case.applies(vendor.capabilities) and (vendor.capabilities.write or not case.writes)
    ]


def probe(
    ground: Ground, cases: Iterable[Case], questions: Iterable[Question], progress: Callable[[str], None]
) -> Report:
    """Try all cases and questions, and delete what they made, whatever happens.

    Raises AuthError and RemoteUnreachable, once that is done, where there is nothing to be learned.
    """
    tried: list[Tried] = []
    answered: list[Answered] = []
    try:
        for case in cases:
            progress(case.name)
            tried.append(_try(case, ground))
        for question in questions:
            progress(question.name)
            answered.append(_answer(question, ground))
    finally:
        left = ground.clean()
    return Report(ground.prefix, tuple(tried), tuple(answered), left, len(ground.recorder.exchanges))


def _try(case: Case, ground: Ground) -> Tried:
    try:
        case.run(ground)
    except NotApplicable as reason:
        return Tried(case.name, case.says, "not-tried", str(reason))
    except Differs as found:
        return Tried(case.name, case.says, "differs", str(found))
    except RemoteRejected as problem:
        return Tried(case.name, case.says, "refused", problem.message, problem.hint)
    except (AuthError, RemoteUnreachable) as problem:
        if case.name == "connect":
            raise
        return Tried(case.name, case.says, "failed", problem.message, problem.hint)
    except PromptStoreError as problem:
        return Tried(case.name, case.says, "failed", problem.message, problem.hint)
    return Tried(case.name, case.says, "as-assumed")


def _answer(question: Question, ground: Ground) -> Answered:
    facts = (question.name, question.asks, question.assumed)
    if question.writes and not ground.vendor.capabilities.write:
        return Answered(*facts, None, f"{ground.vendor.title} has no API to write prompts")
    try:
        return Answered(*facts, question.find(Asking(ground)))
    except (NotApplicable, PromptStoreError) as problem:
        return Answered(*facts, None, str(problem))
    except httpx.RequestError as problem:
        return Answered(*facts, None, type(problem).__name__)
    except (LookupError, TypeError, ValueError):
        return Answered(*facts, None, "the answer has another form than expected; the cassette has it")
