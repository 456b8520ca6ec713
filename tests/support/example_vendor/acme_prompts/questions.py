"""What only the real Acme can tell."""

from __future__ import annotations

from promptstore.vendors.conformance.questions import Asking, Question


def _trailing_blanks(asking: Asking) -> str:
    made = asking.publish("blanks", "text  \n")
    answer = asking.ask("GET", f"/notes/{made.id}").json()
    return "kept" if answer["text"] == "text  \n" else "trimmed"


QUESTIONS = (
    Question("blanks", "Are blanks at the end of a text kept or trimmed?", "kept", _trailing_blanks, writes=True),
)
