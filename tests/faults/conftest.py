"""Hubs of real processes. Without FULL=1 the bounded set runs on SQLite; with it, everything on both databases."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import report
from tests.faults.databases import Postgres, Sqlite, database
from tests.faults.hub import FaultHub, Shape
from tests.faults.report import Case

FULL = bool(os.environ.get("FULL"))
DATABASES = ("sqlite", "postgres") if FULL else ("sqlite",)
HERE = Path(__file__).parent
_cases: list[Case] = []
_failed: set[str] = set()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that has a hub runs on each database of this session, but those with a server of their own."""
    if "template" in metafunc.fixturenames and "private_server" not in metafunc.fixturenames:
        metafunc.parametrize("template", DATABASES, indirect=True, scope="session")


def pytest_itemcollected(item: pytest.Item) -> None:
    """All tests here start and kill processes."""
    item.add_marker("fault")
    if not item.get_closest_marker("timeout"):
        item.add_marker(pytest.mark.timeout(240))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that can share a hub that runs follow each other."""
    ours = [item for item in items if item.path.parent == HERE]
    items[:] = [item for item in items if item.path.parent != HERE] + sorted(ours, key=_place_in_order)


def _place_in_order(item: pytest.Item) -> tuple[int, str]:
    """By database, then by the hub that runs."""
    found: Any = getattr(item, "callspec", None)
    values = found.params if found else {}
    name = values.get("template", "")
    return (DATABASES.index(name) if name in DATABASES else len(DATABASES), str(values.get("running", "")))


def pytest_collection_finish(session: pytest.Session) -> None:
    """A run of everything begins a new report: no row of it is older than another."""
    chosen = {item.path for item in session.items}
    everything = all(path in chosen for path in HERE.glob("test_*.py"))
    if FULL and everything and not session.config.option.keyword and not _is_worker(session):
        report.begin_anew()


def _is_worker(session: pytest.Session) -> bool:
    """Whether this is one of several processes of pytest-xdist, which come after the one that began."""
    return hasattr(session.config, "workerinput")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test that failed is in the report as such, however far it came."""
    if report.failed and report.fspath.startswith("tests/faults/"):
        _failed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    """Keep what was seen."""
    for case in _cases:
        case.passed = case.passed and case.test not in _failed
    met = {case.test for case in _cases}
    unopened = [Case(test, "", "Failed before it began", test) for test in sorted(_failed - met)]
    if _cases or unopened:
        report.write([*_cases, *unopened])


@pytest.fixture(scope="session")
def template(
    request: pytest.FixtureRequest, _kept: "Running", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sqlite | Postgres]:
    """A migrated database to copy."""
    made = database(request.param, tmp_path_factory.mktemp(f"faults-{request.param}"))
    yield made
    _kept.end()
    made.close()


@pytest.fixture
def hub(request: pytest.FixtureRequest, template: Sqlite | Postgres, tmp_path: Path) -> Iterator[FaultHub]:
    """A hub that is set up, of the shape that is the parameter; nothing of it is left afterwards."""
    made = FaultHub(tmp_path / "hub", template, getattr(request, "param", None))
    yield made
    made.close()


class Running:
    """A hub that runs on from case to case, while they ask for the same shape on the same database."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._hub: FaultHub | None = None

    def hub(self, template: Sqlite | Postgres, shape: Shape, folder: Path) -> FaultHub:
        """The hub, without files, runs or plans, its cluster up; a new one is in `folder`."""
        if self._hub is None or (self._hub.template, self._hub.shape) != (template, shape):
            self.end()
            self._hub = FaultHub(folder, template, shape)
            self._hub.beat()
        self._hub.cluster_up()
        self._hub.clear()
        return self._hub

    def end(self) -> None:
        """Nothing of it is left; the next case gets another."""
        hub, self._hub = self._hub, None
        if hub is not None:
            hub.close()


@pytest.fixture(scope="session")
def _kept() -> Running:
    return Running()


@pytest.fixture
def running(
    request: pytest.FixtureRequest, template: Sqlite | Postgres, _kept: Running, tmp_path: Path
) -> Iterator[FaultHub]:
    """A hub of the shape that is the parameter, which runs: shared with other cases, unless one of them failed."""
    yield _kept.hub(template, request.param, tmp_path / "hub")
    if request.node.nodeid in _failed:
        _kept.end()


def shapes(*those: Shape) -> pytest.MarkDecorator:
    """The shapes of the running hubs that a test is for."""
    return pytest.mark.parametrize("running", those, indirect=True, ids=str)


@pytest.fixture
def case(template: Sqlite | Postgres, request: pytest.FixtureRequest) -> Iterator[Callable[..., Case]]:
    """Opens this test's line of the report."""
    opened: list[Case] = []
    began = time.monotonic()

    def open_case(fault: str, group: str = "Other faults") -> Case:
        opened.append(Case(fault, template.name, group, request.node.nodeid, tried=1))
        return opened[-1]

    yield open_case
    for one in opened:
        one.seconds = round(time.monotonic() - began, 1)
    _cases.extend(opened)
