"""Whether this runs for a pull request in somebody's CI: nothing is published from there."""

from __future__ import annotations

from collections.abc import Mapping

_SIGNS = {
    "GITHUB_EVENT_NAME": {"pull_request", "pull_request_target", "merge_group"},
    "CI_PIPELINE_SOURCE": {"merge_request_event", "external_pull_request_event"},
    "BUILD_REASON": {"PullRequest"},
}
"""GitHub (and Gitea, Forgejo), GitLab, Azure."""

_NUMBERS = ("BITBUCKET_PR_ID", "BUILDKITE_PULL_REQUEST", "CIRCLE_PULL_REQUEST", "DRONE_PULL_REQUEST")


def is_pull_request(environ: Mapping[str, str]) -> bool:
    """Whether the environment is that of a pull request's (or merge request's) pipeline."""
    named = any(environ.get(name) in values for name, values in _SIGNS.items())
    return named or any(environ.get(name, "false") not in {"", "false"} for name in _NUMBERS)
