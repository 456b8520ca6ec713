"""Every vendor's client keeps the contract of ``Workspace``, over HTTP against the local twin."""

from __future__ import annotations

from dataclasses import fields

import pytest

from promptstore.vendors.base import Capabilities, Vendor
from promptstore.vendors.conformance import CASES, Case, Ground, NotApplicable


def test_the_client_keeps_its_contract(ground: Ground, vendor: Vendor, case: Case) -> None:
    assert ground.vendor is vendor
    try:
        case.run(ground)
    except NotApplicable as reason:
        if not case.may_refuse:
            raise
        pytest.skip(str(reason))


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in CASES]
    assert len({*names}) == len(names)


def test_cases_ask_for_capabilities_that_exist() -> None:
    known = {field.name for field in fields(Capabilities)}
    assert {name for case in CASES for name in (*case.needs, *case.lacks)} <= known


def test_every_flag_is_held_to(vendor: Vendor) -> None:
    """What is declared possible is tried, and what is declared impossible is refused."""
    tried = {name for case in CASES if case.applies(vendor.capabilities) for name in (*case.needs, *case.lacks)}
    assert {"history", "tags", "delete", "write"} - tried <= {"history"}
