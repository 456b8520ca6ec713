"""Make the mutants of a module worth running: without those of annotations, which nothing evaluates, and a sample.

python tests/mutation/sample.py session.sqlite [most]
"""

from __future__ import annotations

import ast
import random
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

Span = tuple[tuple[int, int], tuple[int, int]]


def annotations(source: str) -> Iterator[Span]:
    """Where the annotations of a module stand: (row, column) of each start and end."""
    for node in ast.walk(ast.parse(source)):
        found = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        found += [node.value] if isinstance(node, ast.Assign) and _is_alias(node) else []
        for part in found:
            if isinstance(part, ast.expr):
                yield (part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0)


def _is_alias(node: ast.Assign) -> bool:
    """``Outcome = Action | Conflict``."""
    named = isinstance(node.targets[0], ast.Name) and node.targets[0].id[0].isupper()
    return named and isinstance(node.value, ast.BinOp)


def main(session: str, most: int) -> None:
    base = sqlite3.connect(session)
    rows = base.execute("select job_id, module_path, start_pos_row, start_pos_col from mutation_specs").fetchall()
    spans = {path: list(annotations(Path(path).read_text())) for path in {row[1] for row in rows}}
    real = [job for job, path, row, column in rows if not any(a <= (row, column) < b for a, b in spans[path])]
    kept = set(random.Random(1).sample(sorted(real), min(most, len(real))))
    for job, *_ in rows:
        if job not in kept:
            base.execute("delete from mutation_specs where job_id = ?", (job,))
            base.execute("delete from work_items where job_id = ?", (job,))
    base.commit()
    print(f"{len(kept)} of {len(real)} mutants ({len(rows) - len(real)} of annotations left out)")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else sys.maxsize)
