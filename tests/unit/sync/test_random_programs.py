"""A few random programs over the real git; ``tests/simulation`` runs any number of them in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulation import Program


def run(where: Path, seed: int, vendors: int, length: int) -> None:
    program = Program(where / "repo", seed, vendors)
    try:
        program.run(length)
    except BaseException:
        print("\n".join(program.log))
        raise
    finally:
        program.rig.store.close()


def test_a_short_program(tmp_path: Path) -> None:
    run(tmp_path, 0, vendors=1, length=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_a_long_program(tmp_path: Path, seed: int) -> None:
    run(tmp_path, seed, vendors=1 + seed % 2, length=10)
