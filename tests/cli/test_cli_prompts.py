"""The commands on prompts, versions and tags, as a user runs them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import good, run, told
from repos import chat, commit, git, make_store

WHEN = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    where = tmp_path / "store"
    make_store(where, "[store]\n", {"support/a": chat("one {{ x }}"), "b": chat("bee", "name: The Bee\n")})
    commit(where, {"support/a": chat("two {{ x }}")})
    return where


def test_list(store: Path) -> None:
    good(store, "tag", "support/a@1", "production")
    good(store, "tag", "support/a", "v1.2/rc")
    rows = good(store, "list", "--json").document["prompts"]
    assert [set(row) for row in rows] == [{"slug", "name", "version", "tags", "digest"}] * 2
    assert [(row["slug"], row["name"], row["version"], row["tags"]) for row in rows] == [
        ("b", "The Bee", 1, {}),
        ("support/a", "support/a", 2, {"production": 1, "v1.2/rc": 2}),
    ]
    assert [row["slug"] for row in good(store, "list", "support/**", "--json").document["prompts"]] == ["support/a"]
    assert good(store, "list", "nothing*").out.strip() in {
        "",
        "no committed prompts; `promptstore new SLUG` writes one",
    }
    assert "production@1" in good(store, "list").out


def test_list_and_get_agree_after_a_reset(store: Path) -> None:
    good(store, "tag", "support/a", "production")
    git(store, "reset", "-q", "--hard", "HEAD~1")
    row = good(store, "list", "support/a", "--json").document["prompts"][0]
    document = good(store, "get", "support/a", "--json").document
    assert (row["version"], row["digest"]) == (document["version"], document["digest"])
    assert document["version"] == 1


def test_list_and_get_of_good_prompts_exit_0_beside_bad_files(store: Path) -> None:
    commit(store, {"bad": "nonsense: true\n"})
    ran = good(store, "list", "--json")
    assert [row["slug"] for row in ran.document["prompts"]] == ["b", "support/a"]
    assert "bad" in ran.err
    good(store, "get", "b")
    told(good(store, "get", "bad", code=1), "prompts/bad.yaml")
    assert good(store, "get", "bad", "--json", code=1).document["error"]["kind"] == "invalid-prompt"


def test_get_reads_what_is_committed_and_working_the_file(store: Path) -> None:
    (store / "prompts/b.yaml").write_text(chat("draft"))
    assert good(store, "get", "b").out == chat("bee", "name: The Bee\n")
    assert good(store, "get", "b@working").out == chat("draft")
    document = good(store, "get", "b@working", "--json").document
    assert (document["version"], document["commit"], document["tags"]) == (None, None, [])
    document = good(store, "get", "support/a@1", "--json").document
    assert (document["slug"], document["version"]) == ("support/a", 1)
    assert document["commit"] == git(store, "rev-parse", "HEAD~1")
    assert document["prompt"]["messages"][0]["content"] == "one {{ x }}"


def test_get_tells_the_tags_of_that_version(store: Path) -> None:
    for tag in ("production", "eu/production"):
        good(store, "tag", "support/a@1", tag)
    assert good(store, "get", "support/a@1", "--json").document["tags"] == ["eu/production", "production"]
    assert good(store, "get", "support/a", "--json").document["tags"] == []
    assert good(store, "get", "support/a@eu/production").out == chat("one {{ x }}")


def test_render(store: Path) -> None:
    (store / "vars.yaml").write_text("x: from yaml\n")
    (store / "vars.json").write_text('{"x": "from json"}')
    assert "two from yaml" in good(store, "render", "support/a", "--vars", "vars.yaml").out
    assert "two from json" in good(store, "render", "support/a", "--vars", "vars.json").out
    ran = good(store, "render", "support/a@1", "--vars", "vars.json", "-v", "x=from the line", "--json")
    assert ran.document == {"messages": [{"role": "system", "content": "one from the line"}]}
    assert "[system]" in good(store, "render", "support/a", "-v", "x=1").out
    told(run(store, "render", "support/a"), "x")
    for text in ("[1]", "{", "x: [", "a: !!python/object:os.system x"):
        for name in ("bad.json", "bad.yaml"):
            (store / name).write_text(text)
            ran = run(store, "render", "support/a", "--vars", name)
            assert ran.code in {1, 2}, ran
            told(ran, name)
    (store / "binary.json").write_bytes(b"\xff\xfe\x00")
    told(run(store, "render", "support/a", "--vars", "binary.json"), "binary.json")


def test_log(store: Path) -> None:
    good(store, "tag", "support/a@1", "production")
    rows = good(store, "log", "support/a", "--json").document["versions"]
    assert [row["version"] for row in rows] == [2, 1]
    assert rows[1].keys() == {"version", "commit", "digest", "date", "author", "message", "tags", "remotes"}
    assert rows[1]["tags"] == ["production"]
    assert rows[1]["remotes"] == {}
    assert re.fullmatch(WHEN, rows[0]["date"])
    assert rows[0]["author"] == "Ann <ann@example.com>"
    assert (rows[0]["message"], rows[0]["commit"]) == ("Change", git(store, "rev-parse", "HEAD"))
    commit(store, {"support/a": chat("three")})
    assert "provisional" in good(store, "log", "support/a").out.splitlines()[0]


def test_diff(store: Path) -> None:
    ran = good(store, "diff", "support/a@1", "2", "--json")
    assert [set(change) >= {"path", "old", "new"} for change in ran.document["changes"]] == [True]
    assert "[-one-]" in good(store, "diff", "support/a@1", "2").out
    assert "{+two+}" in good(store, "diff", "support/a@1", "@2").out
    good(store, "diff", "support/a@1", "2", "--exit-code", code=4)
    good(store, "diff", "support/a@1", "1", "--exit-code")
    assert good(store, "diff", "support/a").out.strip() == "no differences"
    (store / "prompts/support/a.yaml").write_text(chat("draft {{ x }}"))
    good(store, "diff", "support/a", "--exit-code", code=4)
    good(store, "diff", "support/a", "--exit-code", "--json", code=4)


def test_tag_untag_and_their_history(store: Path) -> None:
    first = good(store, "tag", "support/a@1", "production", "-m", "start", "--json").document
    assert first == {"slug": "support/a", "tag": "production", "version": 1, "was": None}
    second = good(store, "tag", "support/a", "production", "-m", "better", "--json").document
    assert second == {"slug": "support/a", "tag": "production", "version": 2, "was": 1}
    assert good(store, "tags", "--json").document == {
        "tags": [{"slug": "support/a", "tag": "production", "version": 2}]
    }
    gone = good(store, "untag", "support/a", "production", "-m", "end", "--json").document
    assert gone.items() >= {"slug": "support/a", "tag": "production", "was": 2}.items()
    moves = good(store, "tags", "--history", "--json").document["moves"]
    assert [(move["from"], move["to"], move["why"]) for move in moves] == [
        (2, None, "end"),
        (1, 2, "better"),
        (None, 1, "start"),
    ]
    assert moves[0].keys() == {"slug", "tag", "from", "to", "who", "when", "why", "remote"}
    assert re.fullmatch(WHEN, moves[0]["when"])
    assert good(store, "tags", "support/a", "--history", "--json").document["moves"] == moves
    assert good(store, "tags", "b", "--history", "--json").document == {"moves": []}


def test_a_tag_in_a_commit_of_its_own_has_no_version(store: Path) -> None:
    git(store, "switch", "-q", "--orphan", "vendor")
    oid = commit(store, {"support/a": chat("only there")})
    git(store, "switch", "-q", "main")
    git(store, "update-ref", "refs/prompts/support/a/-/vendor", oid)
    rows = good(store, "tags", "--json").document["tags"]
    assert [(row["tag"], row["version"]) for row in rows] == [("vendor", None)]
    assert "remote_version" in rows[0]


def test_rm_loses_no_edit_unless_it_is_forced(store: Path) -> None:
    file = store / "prompts/b.yaml"
    edited = chat("not committed yet")
    for prepare in (lambda: None, lambda: git(store, "add", "prompts/b.yaml")):
        file.write_text(edited)
        prepare()
        ran = run(store, "rm", "b")
        assert (ran.code, file.read_text()) == (2, edited)
        assert "never committed" in ran.err
        assert "--force" in ran.err
    good(store, "rm", "b", "--force")
    assert not file.exists()
    good(store, "new", "fresh")
    assert run(store, "rm", "fresh").code == 2
    good(store, "rm", "--force", "fresh")
    git(store, "checkout", "-q", "HEAD", "--", "prompts/b.yaml")
    git(store, "checkout", "-q", "--detach")
    good(store, "rm", "b")


def test_check_tells_templates_that_cannot_be_read(store: Path) -> None:
    (store / "prompts/b.yaml").write_text("messages:\n  - role: user\n    content: |\n      Hi\n      {{ name\n")
    ran = good(store, "check", code=1)
    assert re.search(r"^prompts/b\.yaml:5:7: messages\[0\]\.content: ", ran.out, re.MULTILINE)
    (problem,) = good(store, "check", "--json", "b", code=1).document["problems"]
    assert (problem["path"], problem["line"], problem["column"]) == ("prompts/b.yaml", 5, 7)
    git(store, "commit", "-qam", "half a template")
    assert "{{ name" in good(store, "get", "b").out, "it is a prompt like any other"


def test_what_cannot_be_read_is_not_deployed(store: Path) -> None:
    commit(store, {"bad": "nonsense: true\n"})
    told(run(store, "tag", "bad", "production"), "prompts/bad.yaml")
    assert "production" not in git(store, "for-each-ref")


def test_a_slip_in_a_tag_is_told_what_was_meant(store: Path) -> None:
    good(store, "tag", "b", "production")
    told(run(store, "get", "b@prodction"), "'prodction'", "did you mean 'production'?")


def test_new_says_what_to_type_where_the_store_is_below_the_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    good(tmp_path, "init", "sub")
    command = good(tmp_path / "sub", "new", "a/b").out.partition("`git add ")[2].split()[0]
    git(tmp_path / "sub", "add", command)


def test_a_prompt_of_the_branch_that_is_checked_out_is_told_of(store: Path) -> None:
    assert good(store, "status").out.splitlines()[0] == "on main"
    git(store, "checkout", "-q", "-b", "feature")
    commit(store, {"c": chat("cee")})
    told(run(store, "get", "c"), "on main", "it is on 'feature'")
    assert good(store, "get", "c@feature").out == chat("cee")
    assert good(store, "status").out.startswith("on main ('feature' is checked out here")
    git(store, "checkout", "-q", "--detach")
    told(run(store, "get", "c"), "on main", "working")
    assert good(store, "status").out.startswith("on main (no branch is checked out here")


def test_status_tells_of_files_that_are_no_prompts(store: Path) -> None:
    (store / "prompts/x.yml").write_text(chat("ex"))
    assert "1 file is no prompt; see `promptstore check`" in good(store, "status").out
    (store / "prompts/y.yml").write_text(chat("why"))
    assert "2 files are no prompt; see `promptstore check`" in good(store, "status").out


def test_new_mv_and_rm_change_the_work_tree_only(store: Path) -> None:
    refs = git(store, "for-each-ref")
    assert good(store, "new", "deep/er/c", "--json").document == {"slug": "deep/er/c", "path": "prompts/deep/er/c.yaml"}
    good(store, "check")
    good(store, "fmt", "--check", "deep/er/c")
    good(store, "mv", "support/a", "support/renamed")
    assert not (store / "prompts/support/a.yaml").exists()
    good(store, "rm", "b")
    assert not (store / "prompts/b.yaml").exists()
    assert git(store, "for-each-ref") == refs
    assert git(store, "status", "--porcelain").splitlines() == [
        " D prompts/b.yaml",
        " D prompts/support/a.yaml",
        "?? prompts/deep/",
        "?? prompts/support/renamed.yaml",
    ]
    git(store, "add", "-A")
    git(store, "commit", "-qm", "renamed")
    assert good(store, "get", "support/renamed", "--json").document["version"] == 2


def test_mv_takes_tags_along_once_it_is_committed(store: Path) -> None:
    good(store, "tag", "support/a@1", "production")
    good(store, "mv", "support/a", "new-name")
    git(store, "add", "-A")
    git(store, "commit", "-qm", "renamed")
    assert good(store, "get", "new-name@production").out == chat("one {{ x }}")
    assert good(store, "tags", "--json").document["tags"] == [{"slug": "new-name", "tag": "production", "version": 1}]
    assert not (store / "prompts/support").exists()


def test_rm_and_mv_leave_uncommitted_text_where_it_can_be_found(store: Path) -> None:
    (store / "prompts/b.yaml").write_text(chat("never committed"))
    good(store, "mv", "b", "c")
    assert (store / "prompts/c.yaml").read_text() == chat("never committed")


BROKEN = {
    "unclosed": "messages: [",
    "binary": "\x00\x01",
    "empty": "",
    "twice": "content: a\ncontent: b\n",
    "unknown": "content: x\ncontnet: y\n",
}


def test_check_and_fmt_on_broken_files(store: Path) -> None:
    for name, text in BROKEN.items():
        (store / f"prompts/{name}.yaml").write_text(text)
    (store / "prompts/latin.yaml").write_bytes("content: größer\n".encode("latin-1"))
    (store / "prompts/old.yml").write_text(chat("x"))
    (store / "prompts/Large.yaml").write_text(chat("x"))
    (store / "prompts/With Blank.yaml").write_text(chat("x"))
    (store / "prompts/link.yaml").symlink_to("b.yaml")
    (store / "prompts/dangling.yaml").symlink_to("nowhere.yaml")
    problems = good(store, "check", "--json", code=1).document["problems"]
    assert [set(problem) for problem in problems] == [{"path", "line", "column", "message", "hint"}] * len(problems)
    found = {problem["path"].removeprefix("prompts/").removesuffix(".yaml") for problem in problems}
    assert found == {*BROKEN, "latin", "old.yml", "Large", "With Blank", "link", "dangling"}
    assert all(problem["message"] and problem["line"] >= 1 and problem["column"] >= 1 for problem in problems)
    ran = good(store, "check", code=1)
    assert re.search(r"^prompts/unknown\.yaml:2:1: .*contnet", ran.out, re.MULTILINE)
    before = {path: path.read_bytes() for path in sorted((store / "prompts").rglob("*.y*ml")) if path.exists()}
    ran = good(store, "fmt", "--json", code=1)
    assert set(ran.document) == {"changed"}
    assert {path: path.read_bytes() for path in before if path.stem in BROKEN or path.stem == "latin"}.items() <= (
        before.items()
    )
    assert not list((store / "prompts").rglob(".*"))
    good(store, "check", "prompts/b.yaml")
    good(store, "check", "b")
    good(store, "check", "prompts/support")
    good(store, "fmt", "prompts/support")
    good(store, "fmt", "prompts/support", "--check")


def test_fmt_keeps_comments_and_is_done_once(store: Path) -> None:
    text = "# on top\ntemplate_format:   none # why\ncontent:    'x'\n"
    good(store, "fmt")
    (store / "prompts/b.yaml").write_text(text)
    good(store, "fmt", "--check", code=1)
    assert (store / "prompts/b.yaml").read_text() == text
    assert good(store, "fmt", "--json").document == {"changed": ["prompts/b.yaml"]}
    after = (store / "prompts/b.yaml").read_text()
    assert "# on top" in after
    assert "# why" in after
    assert good(store, "fmt", "--json").document == {"changed": []}
    (store / "prompts/b.yaml").chmod(0o600)
    (store / "prompts/b.yaml").write_text(text)
    good(store, "fmt")
    assert (store / "prompts/b.yaml").stat().st_mode & 0o777 == 0o600


def test_schema_is_a_json_schema(store: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = good(store, "schema").document
    jsonschema.validators.validator_for(schema).check_schema(schema)
    jsonschema.validate(good(store, "get", "b", "--json").document["prompt"], schema)


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    good(tmp_path, "init", "new")
    where = tmp_path / "new"
    assert good(where, "list", "--json").document == {"prompts": []}
    good(where, "new", "greeting")
    assert good(where, "get", "greeting@working", "--json").document["version"] is None
    told(run(where, "get", "greeting"), hint="greeting@working")
    told(run(where, "tag", "greeting", "production"), hint="greeting@working")
    good(where, "check")
    document = good(where, "status", "--json").document
    assert document["working"]["modified"] == ["greeting"]
    assert document["remotes"] == {}
    assert good(where, "tags", "--json").document == {"tags": []}
    git(where, "add", "-A")
    git(where, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "start")
    assert good(where, "get", "greeting", "--json").document["version"] == 1
