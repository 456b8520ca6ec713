"""What is worth a line, and what is worth waking somebody."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from promptstore.daemon.standing import LASTING, Outcome, Standing, Told, judged, observed
from promptstore.sync.actions import Action, Conflict, Halted, Held, Plan, SyncError

OK = Outcome("acme", "ok")
AWAY = Outcome("acme", "unreachable", "no route", reached=False)
WRONG_KEY = Outcome("acme", "failing", "the key is wrong", reached=False)


def story(outcomes: Sequence[Outcome], step: float = 60.0) -> list[Told]:
    standing, told = Standing(Outcome("acme", "starting")), []
    for number, outcome in enumerate(outcomes):
        standing, said = standing.after(outcome, number * step, 1e9 + number * step)
        told.append(said)
    return told


def lines(told: Sequence[Told]) -> list[str]:
    return [line for one in told for line in one.lines]


def alerts(told: Sequence[Told]) -> list[str]:
    return [alert for one in told for alert in one.alerts]


def test_all_well_is_not_worth_a_word() -> None:
    told = story([OK] * 50)
    assert (lines(told), alerts(told)) == ([], [])


def test_hours_without_a_network_are_two_lines_and_one_alert() -> None:
    told = story([OK, *[AWAY] * 300, OK, OK])
    assert lines(told) == ["acme: unreachable: no route", "acme: all well again"]
    assert alerts(told) == ["acme: no route"]
    first = next(number for number, one in enumerate(told) if one.alerts)
    assert (first - 1) * 60 >= LASTING


def test_a_short_outage_wakes_nobody() -> None:
    told = story([OK, AWAY, AWAY, OK])
    assert len(lines(told)) == 2
    assert alerts(told) == []


def test_each_outage_is_told() -> None:
    outage = [AWAY] * 20
    assert len(alerts(story([OK, *outage, OK, *outage, OK]))) == 2


def test_what_will_not_pass_by_itself_is_told_at_once_and_once() -> None:
    told = story([OK, WRONG_KEY, WRONG_KEY, WRONG_KEY])
    assert alerts(told) == ["acme: the key is wrong"]
    assert alerts([told[1]]) == ["acme: the key is wrong"]


def test_new_conflicts_are_told_and_known_ones_are_not() -> None:
    one = Outcome("acme", "conflict", conflicts=frozenset({("a", "model.name")}))
    two = Outcome("acme", "conflict", conflicts=frozenset({("a", "model.name"), ("b", "name")}))
    told = alerts(story([OK, one, one, two, one, OK]))
    assert [text.split(";")[0] for text in told] == ["acme: conflict in a", "acme: conflict in b"]
    many = Outcome("acme", "conflict", conflicts=frozenset((f"p{n}", "name") for n in range(9)))
    assert "p0, p1, p2 and 6 more" in alerts(story([many]))[0]


def test_what_is_held_is_a_line_when_it_begins() -> None:
    one = Outcome("acme", "ok", held=frozenset({("a", "mustache is not for this vendor")}))
    assert lines(story([OK, one, one, OK])) == ["acme: held a: mustache is not for this vendor"]
    many = Outcome("acme", "ok", held=frozenset((f"p{n}", "why") for n in range(30)))
    told = lines(story([many, many]))
    assert (len(told), told[0], told[-1]) == (6, "acme: held p0: why", "acme: held 25 more")


def test_what_was_known_before_an_outage_is_not_told_again_after_it() -> None:
    known = Outcome("acme", "conflict", conflicts=frozenset({("a", "name")}), held=frozenset({("b", "why")}))
    told = story([known, AWAY, AWAY, known])
    assert lines(told[1:]) == ["acme: unreachable: no route", "acme: conflict"]
    assert alerts(told[1:]) == []


def test_a_halt_is_told_once() -> None:
    halt = Outcome("acme", "halted", "12 of 20 prompts are gone")
    assert alerts(story([OK, halt, halt])) == ["acme: halted: 12 of 20 prompts are gone"]


def test_the_last_sync_is_the_last_that_reached_it() -> None:
    standing = Standing(Outcome("acme", "starting"))
    standing, _ = standing.after(OK, 0.0, 100.0)
    standing, _ = standing.after(AWAY, 60.0, 160.0)
    standing, _ = standing.after(observed(AWAY), 90.0, 190.0)
    assert standing.synced == 100.0


# --- judging a pass

ACTION = Action("acme", "a", "update-remote")


def error(message: str, *, slug: str | None = None, retry: bool = False, kind: str = "remote") -> SyncError:
    return SyncError("acme", slug, message, retry, kind, "do this")


@pytest.mark.parametrize(
    ("errors", "state", "reached"),
    [
        ([], "ok", True),
        ([error("no route", retry=True)], "unreachable", False),
        ([error("wrong key", kind="auth")], "failing", False),
        ([error("in doubt", slug="a", retry=True)], "unreachable", True),
        ([error("refused", slug="a")], "failing", True),
        ([error("a rebase is in progress", retry=True, kind="internal")], "waiting", True),
        ([error("a rebase", retry=True, kind="internal"), error("no route", retry=True)], "unreachable", False),
        ([error("no route", retry=True), error("refused", slug="b")], "failing", False),
    ],
)
def test_the_worst_error_decides(errors: list[SyncError], state: str, reached: bool) -> None:
    outcome = judged("acme", Plan(), [ACTION], [*errors, SyncError("bee", None, "other", retry=False)])
    assert (outcome.state, outcome.reached) == (state, reached)
    assert outcome.done == (ACTION,)


def test_the_error_says_where_and_what_next() -> None:
    outcome = judged("acme", Plan(), [], [error("refused", slug="a/b")])
    assert outcome.error == "refused (a/b); do this"


def test_conflicts_held_and_halts_of_the_remote_count() -> None:
    plan = Plan(
        (ACTION, Action("bee", "a", "update-remote")),
        (Conflict("acme", "a", "name", 1, 2, 3), Conflict("bee", "b", "name", 1, 2, 3)),
        (Held("acme", "c", "why", "how"), Held("bee", "c", "why", "how")),
    )
    outcome = judged("acme", plan, plan.actions, [])
    assert (outcome.state, outcome.conflicts, outcome.held) == ("conflict", {("a", "name")}, {("c", "why")})
    assert outcome.done == (ACTION,)
    halted = judged("acme", Plan(halted=(Halted("acme", "all gone"),)), [], [])
    assert halted.state == "halted"
    assert "all gone" in (halted.error or "")
    assert "--accept" in (halted.error or "")
    assert judged("acme", Plan(halted=(Halted("bee", "all gone"),)), [], []).state == "ok"


def test_only_observing_is_no_failure() -> None:
    outcome = observed(judged("acme", Plan(), [], [error("'host' syncs this remote", retry=True)]))
    assert (outcome.state, outcome.reached) == ("observing", True)
    assert alerts(story([outcome] * 100)) == []
