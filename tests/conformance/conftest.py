"""Every vendor that is installed and has a face in the twin, and the example of the docs beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from grounds import twin_ground
from installed import EXAMPLE, with_example
from twins import make_template

from promptstore.vendors.base import Vendor
from promptstore.vendors.conformance import Case, Ground
from promptstore.vendors.registry import vendors

with with_example():
    SERVED = {name: vendor for name, vendor in vendors().items() if vendor.routes is not None}

assert EXAMPLE in SERVED


@pytest.fixture(scope="module", autouse=True)
def installed() -> Iterator[None]:
    with with_example():
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("conformance") / "template")


ALWAYS = {"text-crlf", "publish-again", "tag-move", "delete"}
"""Of the cases that write, those that no quick run leaves out: every write is a commit at the twin."""


def _param(vendor: Vendor, case: Case) -> Any:
    marks = [pytest.mark.slow] if case.writes and case.name not in ALWAYS else []
    return pytest.param(vendor, case, id=f"{vendor.name}-{case.name}", marks=marks)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run for each vendor, and where a test asks for a case, for each that the vendor's capabilities call for."""
    names = metafunc.fixturenames
    cases = getattr(metafunc.module, "CASES", ())
    if "case" in names:
        pairs = [(vendor, case) for vendor in SERVED.values() for case in cases if case.applies(vendor.capabilities)]
        metafunc.parametrize(("vendor", "case"), [_param(*pair) for pair in pairs], scope="module")
    elif "vendor" in names:
        metafunc.parametrize("vendor", SERVED.values(), ids=SERVED, scope="module")


@pytest.fixture(scope="session")
def grounds(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Vendor], Ground]]:
    """One ground for each vendor, made when it is asked for first."""
    with ExitStack() as stack:

        @cache
        def made(name: str) -> Ground:
            where = tmp_path_factory.mktemp(name) / "store"
            return stack.enter_context(twin_ground(SERVED[name], template, where))

        yield lambda vendor: made(vendor.name)


@pytest.fixture
def ground(vendor: Vendor, grounds: Callable[[Vendor], Ground]) -> Ground:
    return grounds(vendor)


@pytest.fixture(scope="module")
def installed_example() -> Vendor:
    return SERVED[EXAMPLE]
