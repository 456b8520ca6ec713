"""A plan in a pull request: Markdown that nobody can smuggle anything through, and the signs of a pipeline."""

from __future__ import annotations

import pytest

from promptstore.cli.markdown import plan_markdown
from promptstore.cli.pipeline import is_pull_request
from promptstore.sync.actions import Action, Conflict, Halted, Held, Plan, SyncError


@pytest.mark.parametrize(
    ("environ", "answer"),
    [
        ({}, False),
        ({"GITHUB_EVENT_NAME": "push"}, False),
        ({"GITHUB_EVENT_NAME": "pull_request"}, True),
        ({"CI_PIPELINE_SOURCE": "merge_request_event"}, True),
        ({"CI_PIPELINE_SOURCE": "push"}, False),
        ({"BUILDKITE_PULL_REQUEST": "false"}, False),
        ({"BUILDKITE_PULL_REQUEST": "12"}, True),
        ({"BITBUCKET_PR_ID": "7"}, True),
    ],
)
def test_the_signs_of_a_pull_request(environ: dict[str, str], answer: bool) -> None:
    assert is_pull_request(environ) is answer


def test_a_plan_is_a_table_with_what_is_left_below() -> None:
    plan = Plan(
        (
            Action("acme", "a/b", "update-remote", ("messages[0].content", "model"), 4, reason="edited here"),
            Action("acme", "a/b", "tag-remote", tag="production"),
        ),
        (Conflict("acme", "c", "messages[0].content", "base", "one\ntwo", None),),
        (Held("acme", "d", "it cannot be told", "hint"),),
        (Halted("beta", "3 of 4 are gone"),),
    )
    text = plan_markdown(plan, [SyncError("acme", "e", "no route", True)])
    assert "| acme | `a/b` | publish | `messages[0].content`, `model` | edited here |" in text
    assert "| acme | `a/b` | tag there `production` |" in text
    assert "- `c` (acme) `messages[0].content`: ours `one⏎two`, theirs `(absent)`" in text
    assert "- `d` (acme): it cannot be told" in text
    assert "- beta: 3 of 4 are gone" in text
    assert "- acme, e: no route" in text


def test_an_empty_plan_says_so() -> None:
    assert "Nothing to do." in plan_markdown(Plan())


def test_a_plan_that_could_not_be_made_is_not_called_empty() -> None:
    text = plan_markdown(Plan(), (SyncError("acme", None, "there is no key", False, "auth"),))
    assert "Nothing to do." not in text
    assert "- acme: there is no key" in text


def test_what_a_vendor_says_cannot_break_out() -> None:
    hostile = "x | y `z` <b>@everyone</b> [click](http://evil)\n# big"
    reason = plan_markdown(Plan((Action("acme", "a", "update-local", (hostile,), reason=hostile),)))
    row = next(line for line in reason.splitlines() if "`a`" in line)
    assert row.replace("\\|", "").count("|") == 6
    assert "@everyone" not in row.split("|")[5]
    assert "<b>" not in row.replace("\\<b\\>", "").split("|")[5]
