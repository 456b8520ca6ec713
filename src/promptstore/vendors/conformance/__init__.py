"""What every vendor's ``Workspace`` must do, as cases that run over any of them, and the questions that only the real
vendor can answer.

``CASES`` are the contract of ``promptstore.vendors.base`` as data. A vendor's capabilities decide which apply; no case
knows a vendor by name. The same cases judge each vendor against the local twin in the tests, and the safe ones judge
the real vendor in ``promptstore remote check NAME --probe``.
"""

from __future__ import annotations

from promptstore.vendors.conformance.case import Case
from promptstore.vendors.conformance.declared import DECLARED
from promptstore.vendors.conformance.deleting import DELETING
from promptstore.vendors.conformance.ground import Ground
from promptstore.vendors.conformance.reading import READING
from promptstore.vendors.conformance.recorder import Recorder
from promptstore.vendors.conformance.tagging import TAGGING
from promptstore.vendors.conformance.verdicts import Differs, NotApplicable
from promptstore.vendors.conformance.writing import WRITING

CASES: tuple[Case, ...] = (*READING, *WRITING, *TAGGING, *DELETING, *DECLARED)
"""All cases, in the order in which they are best run."""

__all__ = ["CASES", "Case", "Differs", "Ground", "NotApplicable", "Recorder"]
