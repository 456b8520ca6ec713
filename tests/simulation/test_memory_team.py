"""Faults that teams came upon in the simulation, told again one by one; and a few seeds of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from clouds import PromptLayer
from life import Life
from team_people import TeamPeople
from team_world import Member, TeamWorld
from world import CALM, Bad, Clone

from promptstore.store.address import parse_address
from promptstore.store.config import RemoteConfig
from promptstore.store.tagging import set_tag
from promptstore.sync.engine import Result


def text(*paragraphs: str) -> str:
    body = "\n\n".join(f"      {line}" for line in paragraphs)
    return f"template_format: jinja2\nmessages:\n  - role: system\n    content: |-\n{body}\n"


class Scene:
    """Two clones of one origin, and one vendor."""

    def __init__(self) -> None:
        self.world = TeamWorld(1, 2)
        self.cloud = PromptLayer(lambda: self.world.now)
        self.world.clouds = {"promptlayer": self.cloud}
        self.world.config = replace(
            self.world.config, remotes={"promptlayer": RemoteConfig("promptlayer", "promptlayer", project="sim")}
        )
        self.world.max_delete = 0.2
        self.people = TeamPeople(self.world)
        self.ann, self.ben = self.world.clones
        for clone in self.world.clones:
            clone.offset, clone.has_daemon = 0.0, False
        self.set_push(False)

    def set_push(self, push: bool) -> None:
        self.world.config = replace(self.world.config, git=replace(self.world.config.git, push=push))
        for clone in self.world.clones:
            clone.forget()

    def write(self, clone: Member, **texts: str | None) -> None:
        """Commit and push."""
        for slug, said in texts.items():
            path = f"prompts/{slug}.yaml"
            if said is None:
                clone.repository.tree.files.pop(path, None)
            else:
                clone.repository.tree.files[path] = said.encode()
        clone.repository.stage_all()
        clone.repository.commit(clone.who(), "Edit")
        self.people.push(clone)

    def sync(self, clone: Member, accept: str | None = None, **options: object) -> Result:
        result = self.world.sync(clone, CALM, accept, **options)
        assert result is not None, self.world.log
        return result

    def between(self, act: Callable[[Clone, str], None]) -> None:
        """Something happens at every step of a run."""
        meanwhile = self.world._meanwhile

        def step(clone: Clone, life: Life, bad: Bad, what: str) -> None:
            meanwhile(clone, life, bad, what)
            act(clone, what)

        self.world._meanwhile = step  # type: ignore[method-assign]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_what_another_clone_passed_halts_nobody_again(scene: Scene) -> None:
    """Half of what is known is archived: one clone's people pass the plan, and the others' need not."""
    scene.write(scene.ann, a=text("one"), b=text("two"))
    scene.sync(scene.ann)
    scene.people.pull(scene.ben)
    scene.sync(scene.ben)
    scene.cloud.prompts[scene.cloud.by_name("a").id].deleted = True  # type: ignore[union-attr]
    assert scene.sync(scene.ben).plan.halted
    plan = scene.sync(scene.ann).plan
    scene.sync(scene.ann, accept=plan.plan_id)
    scene.people.push(scene.ann)
    scene.people.pull(scene.ben)
    assert set(scene.ben.prompts()) == {"b"}
    scene.sync(scene.ben)
    assert scene.sync(scene.ben).plan.halted == ()


def sleeps(scene: Scene, after: str, **better: str) -> None:
    """Ann's machine will sleep then; when it wakes, ben leads, and has published."""

    def sleep(clone: Clone, what: str) -> None:
        if clone is scene.ann and what == after:
            scene.world.pass_time(300)
            scene.write(scene.ben, **better)
            scene.ben.keeps = True
            scene.sync(scene.ben)

    scene.between(sleep)


def test_a_machine_that_slept_between_two_labels_moves_no_more(scene: Scene) -> None:
    """Another clone leads by then, and may have moved that label itself."""
    scene.write(scene.ann, a=text("one"), b=text("two"))
    scene.sync(scene.ann)
    for slug in ("a", "b"):
        set_tag(scene.ann.store, scene.ann.store.locate(parse_address(slug)), "production")

    scene.people.pull(scene.ben)
    sleeps(scene, "after set_tag", a=text("better"))
    result = scene.sync(scene.ann)
    assert any("syncs this remote" in error.message for error in result.errors)
    assert sum(bool(kept.labels) for kept in scene.cloud.live()) == 1


def test_a_machine_that_slept_between_two_deletions_deletes_no_more(scene: Scene) -> None:
    """Another clone leads by then, and may have been told otherwise."""
    scene.world.max_delete = 1.0
    scene.write(scene.ann, a=text("one"), b=text("two"), c=text("three"))
    scene.sync(scene.ann)
    scene.people.pull(scene.ben)
    scene.write(scene.ann, a=None, b=None)

    sleeps(scene, "after delete", c=text("better"))
    result = scene.sync(scene.ann, allow_delete=True)
    assert any("syncs this remote" in error.message for error in result.errors)
    assert sorted(kept.name for kept in scene.cloud.live()) == ["b", "c"]


def test_a_listing_older_than_what_another_clone_agreed_on_is_no_edit(scene: Scene) -> None:
    """The other has published on top of an edit that this one has not seen yet, and is shown for a while still."""
    scene.write(scene.ann, a=text("one"))
    scene.sync(scene.ann)
    scene.people.pull(scene.ben)
    scene.sync(scene.ben)
    scene.world.pass_time(100)
    scene.write(scene.ann, a=text("two"))
    scene.sync(scene.ann)
    scene.people.pull(scene.ben)
    scene.world._weather = lambda _clone, _bad, what, _faults: "stale" if what in {"list", "read"} else None  # type: ignore[method-assign]
    result = scene.sync(scene.ben)
    assert (result.done, [error.retry for error in result.errors]) == ([], [True])
    assert "two" in scene.ben.prompts()["a"]


def test_what_was_seen_where_another_clone_linked_a_new_prompt_is_forgotten(scene: Scene) -> None:
    """It was archived and made anew, with the same name and the same number of versions."""
    scene.write(scene.ann, b=text("another"), a=text("one"))
    scene.sync(scene.ann)
    scene.people.pull(scene.ben)
    scene.sync(scene.ben)
    old = scene.cloud.by_name("a")
    assert old is not None
    old.deleted = True
    document = dict(old.head.document)
    scene.write(scene.ann, a=None)
    scene.sync(scene.ann)
    scene.cloud.save("a", json.loads(json.dumps(document).replace("one", "new")))
    scene.sync(scene.ann)
    scene.people.push(scene.ann)
    scene.sync(scene.ann)
    scene.people.pull(scene.ben)
    assert "new" in scene.ben.prompts()["a"]
    assert scene.sync(scene.ben).done == []
    assert "new" in scene.ben.prompts()["a"]
