"""Random programs for teams, each from its seed; a failing one prints what was done and can be run again."""

from __future__ import annotations

from pathlib import Path

import pytest
from team_simulation import Team

pytestmark = pytest.mark.slow


def run(where: Path, seed: int, length: int) -> None:
    team = Team(where / "team", seed, clones=2 + seed % 3 // 2)
    try:
        team.run(length)
    except BaseException:
        print("\n".join(team.log))
        raise
    finally:
        for rig in team.rigs.values():
            rig.store.close()


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_short_program(tmp_path: Path, seed: int) -> None:
    run(tmp_path, seed, length=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 108))
def test_a_long_program(tmp_path: Path, seed: int) -> None:
    run(tmp_path, seed, length=3)
