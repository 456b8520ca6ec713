"""The pages say what the code says: commands, options, settings, layers, errors, versions and links."""

from __future__ import annotations

import ast
import dataclasses
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from cli_reference import EVERYWHERE, commands, updated
from pages import DOCS, PAGES, README, ROOT, anchors, blocks, links, prose, read

import promptstore
from promptstore.store.config import Config, DaemonConfig, GitConfig, RemoteConfig, SyncConfig, parse_config

SOURCE = ROOT / "src" / "promptstore"
CLI, CONFIG, ARCHITECTURE = (ROOT / "docs" / name for name in ("cli.md", "config.md", "architecture.md"))

TABLES = {
    "[store]": {"prompts", "branch"},
    "[remotes.NAME]": {field.name for field in dataclasses.fields(RemoteConfig)} - {"name"},
    "[sync]": {field.name for field in dataclasses.fields(SyncConfig)},
    "[git]": {field.name for field in dataclasses.fields(GitConfig)},
    "[daemon]": {field.name for field in dataclasses.fields(DaemonConfig)},
    "[notify]": {"command"},
}


# --- links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in links(page) if not link.startswith("https://") and not _leads_somewhere(page, link)]
    assert not broken


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def test_every_page_can_be_reached_from_the_readme() -> None:
    assert {f"docs/{page.name}" for page in DOCS} <= set(links(README))


# --- the command line


def test_reference_of_the_command_line_is_up_to_date() -> None:
    page = read(CLI)
    assert updated(page) == page, "run `python tests/docs/cli_reference.py`"


def test_every_command_and_option_is_documented_with_words() -> None:
    page = read(CLI)
    for name, command in commands():
        assert f"#### `promptstore {name}`" in page
        assert command.help, f"promptstore {name} has no help"
        for option in (param for param in command.params if param.param_type_name == "option"):
            assert getattr(option, "help", None), f"promptstore {name} {option.opts} has no help"
            assert EVERYWHERE & set(option.opts) or any(flag in page for flag in option.opts)


def test_every_command_of_the_pages_exists() -> None:
    known = {name for name, _ in commands()} | {name.split()[0] for name, _ in commands()}
    for page in PAGES:
        shown = "\n".join(blocks(page, "console") + blocks(page, "sh"))
        asked = re.findall(r"^\$? ?(?:\S*/)?promptstore (?:-C \S+ |-q )*([a-z-]+)", shown, re.MULTILINE)
        asked += re.findall(r"`promptstore ([a-z]+)[ `]", prose(page))
        assert set(asked) <= known, page.name


def test_exit_codes_are_those_of_the_code() -> None:
    table = read(CLI).split("## Exit codes", 1)[1].split("## ", 1)[0]
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    used = {0, 3, 4} | {cls.exit_code for cls in _errors()}
    assert documented == used


def _errors() -> list[type[promptstore.PromptStoreError]]:
    found, queue = [], [promptstore.PromptStoreError]
    while queue:
        cls = queue.pop()
        found.append(cls)
        queue += cls.__subclasses__()
    return found


def test_error_kinds_are_listed() -> None:
    assert all(f"`{cls.kind}`" in read(CLI) for cls in _errors())


# --- the config


@pytest.mark.parametrize("table", TABLES)
def test_every_setting_is_documented(table: str) -> None:
    assert set(_settings(table)) == TABLES[table]


def _settings(table: str) -> dict[str, str]:
    """The rows of one table's section: key -> row."""
    section = read(CONFIG).split(f"## `{table}`\n", 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"^\| `(\w+)` (\|.*)$", section, re.MULTILINE))


def test_shown_defaults_are_the_defaults() -> None:
    shown = parse_config(blocks(CONFIG, "toml")[0])
    assert dataclasses.replace(shown, remotes={}) == Config()
    assert tomllib.loads(blocks(CONFIG, "toml")[0]).keys() == {table.strip("[]").split(".")[0] for table in TABLES}


@pytest.mark.parametrize("text", [text for page in PAGES for text in blocks(page, "toml")])
def test_configs_in_the_docs_are_valid(text: str) -> None:
    parse_config(text)


@pytest.mark.parametrize("table", ["sync", "git", "daemon"])
def test_what_has_no_effect_yet_is_marked_so(table: str) -> None:
    """A setting that no code reads says so, and one that is read does not."""
    section = read(CONFIG).split(f"## `[{table}]`\n", 1)[1].split("\n## ", 1)[0]
    whole = section.lstrip().startswith("**Not yet**")
    used = _settings_used(table)
    for key, row in _settings(f"[{table}]").items():
        marked = whole or "**Not yet**" in row or "**Not yet.**" in row
        assert marked or key in used, f"[{table}] {key} has no effect: mark it as **Not yet** in docs/config.md"
        assert not (whole and key in used), f"[{table}] {key} has an effect: docs/config.md calls the table **Not yet**"


def _settings_used(table: str) -> set[str]:
    """The settings of a table that code reads, as ``config.<table>.<key>``."""
    return {key for owner, key in _attributes_of_attributes() if owner == table}


@cache
def _attributes_of_attributes() -> frozenset[tuple[str, str]]:
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in SOURCE.rglob("*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return frozenset((node.value.attr, node.attr) for node in nodes if isinstance(node.value, ast.Attribute))


# --- architecture and Python


def test_layers_are_as_drawn() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*)\|$", read(ARCHITECTURE), re.MULTILINE)
    drawn = {package: set(re.findall(r"`(\w+)`", allowed)) for package, allowed in rows}
    packages = {
        path.name.removesuffix(".py") for path in SOURCE.iterdir() if not path.name.startswith((".", "_", "py."))
    }
    assert drawn.keys() == packages
    for package in packages:
        assert _imported(package) <= drawn[package], f"{package} imports what docs/architecture.md does not show"


def _imported(package: str) -> set[str]:
    files = [SOURCE / f"{package}.py"] if (SOURCE / f"{package}.py").exists() else (SOURCE / package).rglob("*.py")
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    found = re.findall(r"^\s*(?:from|import) promptstore\.(\w+)", text, re.MULTILINE)
    return set(found) - {package}


def test_public_names_are_documented() -> None:
    page = read(ROOT / "docs" / "python.md")
    assert [name for name in promptstore.__all__ if name not in page] == []


def test_properties_of_a_prompt_are_documented() -> None:
    page = read(ROOT / "docs" / "python.md")
    names = [name for name in dir(promptstore.Prompt) if not name.startswith("_")]
    assert [name for name in names if f"`{name}`" not in page and f"{name}(" not in page] == []


# --- releases and CI


def test_changelog_has_this_version() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    headings = re.findall(r"^## \[([^\]]+)\]", read(ROOT / "docs" / "CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == version
    assert f"Version {version}" in read(README)


def test_ci_begins_with_the_readmes_test_command() -> None:
    command = next(text.strip() for text in blocks(README, "sh") if "pytest" in text)
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
