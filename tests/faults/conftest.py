"""Hubs of real processes. Without FULL=1 the bounded set runs on SQLite; with it, everything on both databases."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.databases import Postgres, Sqlite, database
from tests.faults.hub import FaultHub
from tests.faults.report import Case, write

FULL = bool(os.environ.get("FULL"))
DATABASES = ("sqlite", "postgres") if FULL else ("sqlite",)
_cases: list[Case] = []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that has a hub runs on each database of this session."""
    if "template" in metafunc.fixturenames:
        metafunc.parametrize("template", DATABASES, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here start and kill processes; those marked `full` are left to FULL=1."""
    here = [item for item in items if item.path.parent == Path(__file__).parent]
    for item in here:
        item.add_marker("fault")
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(180))


def pytest_sessionfinish() -> None:
    """Keep what was seen."""
    if _cases:
        write(_cases)


@pytest.fixture(scope="session")
def template(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sqlite | Postgres]:
    """A migrated database to copy."""
    made = database(request.param, tmp_path_factory.mktemp(f"faults-{request.param}"))
    yield made
    made.close()


@pytest.fixture
def hub(template: Sqlite | Postgres, tmp_path: Path) -> Iterator[FaultHub]:
    """A hub that is set up; nothing of it is left afterwards."""
    made = FaultHub(tmp_path / "hub", template)
    yield made
    made.close()


@pytest.fixture
def case(template: Sqlite | Postgres, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Case]]:
    """Opens this test's line of the report."""
    opened: list[Case] = []
    began = time.monotonic()

    def open_case(fault: str) -> Case:
        opened.append(Case(fault, template.name, tried=1))
        return opened[-1]

    yield open_case
    for one in opened:
        one.seconds = round(time.monotonic() - began, 1)
    _cases.extend(opened)
