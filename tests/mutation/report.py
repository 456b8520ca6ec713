"""How many mutants the suites noticed, of all and of those that can be noticed, and which they did not.

python tests/mutation/report.py session.sqlite
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from unseen import guards, wordings

RESULTS = """
select module_path, start_pos_row, start_pos_col, operator_name, test_outcome
from mutation_specs join work_results using (job_id) order by module_path, start_pos_row, start_pos_col
"""


def main(session: str) -> Iterator[str]:
    rows = sqlite3.connect(session).execute(RESULTS).fetchall()
    survivors = [row[:4] for row in rows if row[4] == "SURVIVED"]
    hidden = [row for row in rows if _unseen(*row[:3])]
    silent = [row for row in survivors if _unseen(*row[:3])]
    yield f"noticed {len(rows) - len(survivors)} of {len(rows)} mutants"
    seen = len(rows) - len(hidden)
    yield f"without wordings and guards: {seen - (len(survivors) - len(silent))} of {seen}"
    for path, row, column, operator in survivors:
        line = Path(path).read_text().splitlines()[row - 1].strip()
        yield f"{path}:{row}:{column}: {_unseen(path, row, column) or 'survived'}: {operator}: {line}"


def _unseen(path: str, row: int, column: int) -> str | None:
    source = Path(path).read_text()
    kinds = {"wording": wordings(source), "guard": guards(source)}
    return next((kind for kind, spans in kinds.items() if any(a <= (row, column) < b for a, b in spans)), None)


if __name__ == "__main__":
    for line in main(sys.argv[1]):
        print(line)
