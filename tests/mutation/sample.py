"""Make the mutants of a module worth running: without those of annotations, which nothing evaluates, and a sample.

The sample of one source is always the same one.

python tests/mutation/sample.py session.sqlite [most]
"""

from __future__ import annotations

import random
import sqlite3
import sys
from pathlib import Path

from unseen import annotations

MUTANTS = """
select job_id, module_path, start_pos_row, start_pos_col from mutation_specs
order by module_path, start_pos_row, start_pos_col, operator_name, occurrence
"""


def main(session: str, most: int) -> None:
    base = sqlite3.connect(session)
    rows = base.execute(MUTANTS).fetchall()
    spans = {path: list(annotations(Path(path).read_text())) for path in {row[1] for row in rows}}
    real = [job for job, path, row, column in rows if not any(a <= (row, column) < b for a, b in spans[path])]
    kept = set(random.Random(1).sample(real, min(most, len(real))))
    for job, *_ in rows:
        if job not in kept:
            base.execute("delete from mutation_specs where job_id = ?", (job,))
            base.execute("delete from work_items where job_id = ?", (job,))
    base.commit()
    print(f"{len(kept)} of {len(real)} mutants ({len(rows) - len(real)} of annotations left out)")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else sys.maxsize)
