"""The commands and what each is for, so that ``--help`` imports none of them, nor a parser."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Entry:
    """Where a command lives (``module:object`` below ``promptstore.cli``), its section in the help, and its purpose."""

    __slots__ = ("help", "section", "target")

    def __init__(self, target: str, section: str, purpose: str) -> None:
        self.target = target
        self.section = section
        self.help = purpose


PROMPTS = "Prompts"
HISTORY = "Versions and tags"
REMOTES = "Remotes and sync"
MORE = "More"

COMMANDS: dict[str, Entry] = {
    "init": Entry("init:init", PROMPTS, "Make a store here."),
    "new": Entry("new:new", PROMPTS, "Write a starter prompt."),
    "check": Entry("check:check", PROMPTS, "Validate prompt files."),
    "fmt": Entry("fmt:fmt", PROMPTS, "Bring prompt files into the canonical layout."),
    "list": Entry("list:list_prompts", PROMPTS, "List the prompts."),
    "get": Entry("get:get", PROMPTS, "Print a prompt."),
    "render": Entry("render:render", PROMPTS, "Fill in a prompt's variables."),
    "mv": Entry("mv:mv", PROMPTS, "Rename a prompt; versions, tags and links follow."),
    "rm": Entry("rm:rm", PROMPTS, "Remove a prompt."),
    "schema": Entry("schema:schema", PROMPTS, "Print the JSON Schema of prompt files."),
    "log": Entry("log:log", HISTORY, "Show a prompt's versions."),
    "diff": Entry("diff:diff", HISTORY, "Show what changed, by field and word."),
    "tag": Entry("tag:tag", HISTORY, "Name a version."),
    "untag": Entry("untag:untag", HISTORY, "Take a tag away."),
    "tags": Entry("tags:tags", HISTORY, "List tags, or every move they made."),
    "remote": Entry("remote:remote", REMOTES, "Add, check and remove vendor workspaces."),
    "fetch": Entry("fetch:fetch", REMOTES, "Look at the remotes; change nothing of ours."),
    "status": Entry("status:status", REMOTES, "Show where files, branch and remotes stand."),
    "plan": Entry("plan:plan", REMOTES, "Show what sync would do."),
    "sync": Entry("sync:sync", REMOTES, "Bring the store and its remotes together."),
    "pull": Entry("sync:pull", REMOTES, "Only bring the remotes' edits here."),
    "push": Entry("sync:push", REMOTES, "Only publish what is committed here."),
    "conflicts": Entry("conflicts:conflicts", REMOTES, "Show fields that both sides changed."),
    "resolve": Entry("resolve:resolve", REMOTES, "Settle conflicts."),
    "daemon": Entry("daemon:daemon", REMOTES, "Keep the store and its remotes together all the time."),
    "serve": Entry("serve:serve", MORE, "Serve the store as the vendors' own APIs."),
    "doctor": Entry("doctor:doctor", MORE, "Find what is wrong with a store, and mend it."),
    "demo": Entry("demo:demo", MORE, "Play the whole story in a temporary folder."),
}

HIDDEN: dict[str, Entry] = {
    "merge-driver": Entry("merge_driver:merge_driver", MORE, "What git calls to merge prompt files."),
}

OPTIONS = (
    ("-C DIR", "Run as if started in DIR."),
    ("--json", "Print one JSON document."),
    ("-q, --quiet", "Print nothing but the answer."),
    ("-v, --verbose", "Tell more about what is done."),
    ("--color [auto|always|never]", "When to print in colour."),
    ("--version", "Show the version."),
    ("-h, --help", "Show this help; `promptstore COMMAND --help` shows a command's."),
)


def help_text() -> str:
    """The help of ``promptstore`` itself."""
    lines = [
        "Usage: promptstore [OPTIONS] COMMAND [ARGS]...",
        "",
        "  Prompts as files in git, in two-way sync with the vendors you edit and deploy them in.",
        "",
        "  Example: promptstore get support/summarizer@production",
        "",
        "Options:",
        *_rows(OPTIONS),
    ]
    for section in dict.fromkeys(entry.section for entry in COMMANDS.values()):
        rows = [(name, entry.help) for name, entry in COMMANDS.items() if entry.section == section]
        lines += ["", f"{section}:", *_rows(rows)]
    return "\n".join(lines) + "\n"


def _rows(rows: Iterable[tuple[str, str]]) -> list[str]:
    pairs = list(rows)
    width = max(len(name) for name, _ in pairs)
    return [f"  {name:<{width}}  {purpose}" for name, purpose in pairs]
