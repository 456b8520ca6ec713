"""Faults that teams came upon in the simulation, told again one by one; and a few seeds of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from clouds import PromptLayer
from team_people import TeamPeople
from team_world import Member, TeamWorld
from world import CALM

from promptstore.store.config import RemoteConfig
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
