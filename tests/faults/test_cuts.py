"""Connections are broken by a proxy; the run tries again by itself, and each file is there once."""

import random
import signal
from collections.abc import Callable

import pytest

from tests.faults import points
from tests.faults.conftest import FULL, shapes
from tests.faults.hub import FaultHub
from tests.faults.judging import settle
from tests.faults.places import Place
from tests.faults.points import OS, SFTP, SSHD
from tests.faults.processes import kill
from tests.faults.proxy import FROM_SERVER, TO_SERVER
from tests.faults.report import Case

SEED = 2026
LOGIN = 1500  # bytes a server has said before a log-in is over, at least
# Where, before which servers, and how often: fifty on each database.
BATCHES = [
    ("source", SFTP, 13),
    ("source", SSHD, 4),
    ("target", SFTP, 13),
    ("target", SSHD, 4),
    ("target", OS, 16),
]
BOUNDED = [("target", SFTP, 3), ("source", SFTP, 3)]


def place_of(hub: FaultHub, side: str) -> Place:
    return hub.source if side == "source" else hub.target


def name_of(hub: FaultHub, side: str) -> str:
    """The server a cut is before, in the report's words."""
    kind = "object storage" if hub.shape.target == "os" and side == "target" else "SFTP"
    return f"{kind} {side}{' (OpenSSH)' if hub.shape.sshd else ''}"


def put_some(hub: FaultHub, chance: random.Random) -> int:
    """One file of a few MiB and some small ones; their bytes."""
    large = 11_000_000 if hub.shape.target == "os" and chance.random() < 0.5 else 6_000_000
    hub.put(large + chance.randrange(100_000), 3, seed=chance.random())
    for number in (1, 2, 4, 5, 6):
        hub.put(chance.randrange(1, 300_000), number, seed=chance.random())
    return sum(size for size, _ in hub.files.values())


def ends_well(hub: FaultHub) -> None:
    """The run ends by itself, having been tried again and not crashed."""
    (run,) = hub.ended(90)
    assert run["status"] == "succeeded", run["fault"]
    assert set(run["attempts"][:-1]) <= {"retry"}, run["attempts"]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("side", "running", "times"),
    BATCHES if FULL else BOUNDED,
    indirect=["running"],
    ids=str,
)
def test_a_connection_cut_mid_file(
    side: str, times: int, running: FaultHub, case: Callable[..., Case]
) -> None:
    kept = case(f"{name_of(running, side)} cut mid-file", "Connections cut by a proxy")
    kept.tried = 0
    chance = random.Random(f"{SEED} {side} {running.shape}")
    proxy = place_of(running, side).proxy
    with_data = FROM_SERVER if side == "source" else TO_SERVER
    for _ in range(times):
        running.clear()
        offset = chance.randrange(2 * LOGIN, int(put_some(running, chance) * 0.98))
        proxy.cut(with_data, offset)
        running.run()
        ends_well(running)
        assert proxy.struck == 1, f"{offset} bytes never passed"
        kept.tried += 1
        settle(running, kept)


if FULL:

    @shapes(SFTP, SSHD)
    @pytest.mark.parametrize("side", ["source", "target"])
    def test_a_connection_cut_while_logging_in(
        side: str, running: FaultHub, case: Callable[..., Case]
    ) -> None:
        kept = case(f"{name_of(running, side)} cut during the log-in", "Connections cut by a proxy")
        kept.tried = 0
        chance = random.Random(f"{SEED} {side} {running.shape}")
        for direction in (FROM_SERVER, TO_SERVER, FROM_SERVER):
            running.clear()
            running.put_many(3)
            place_of(running, side).proxy.cut(direction, chance.randrange(1, LOGIN))
            running.run()
            ends_well(running)
            assert place_of(running, side).proxy.struck == 1
            kept.tried += 1
            settle(running, kept)

    RENAMES = [
        (SFTP, "target", "verified_not_renamed_at_target"),
        (SSHD, "target", "verified_not_renamed_at_target"),
        (SFTP, "source", "delivered_not_renamed_at_source"),
        (SSHD, "source", "delivered_not_renamed_at_source"),
    ]

    @pytest.mark.parametrize("put", [points.small, points.large], ids=lambda put: put.__name__)
    @pytest.mark.parametrize("direction", [TO_SERVER, FROM_SERVER], ids=["request-lost", "answer-lost"])
    @pytest.mark.parametrize(("running", "side", "point"), RENAMES, indirect=["running"], ids=str)
    def test_a_connection_cut_at_a_rename(  # noqa: PLR0917  (pytest passes them by name)
        side: str,
        point: str,
        direction: str,
        put: Callable[[FaultHub], None],
        running: FaultHub,
        case: Callable[..., Case],
    ) -> None:
        lost = "request" if direction == TO_SERVER else "answer"
        kept = case(f"{name_of(running, side)} cut at the rename, {lost} lost", "Connections cut by a proxy")
        put(running)
        cut_at(running, point, side, direction)
        ends_well(running)
        settle(running, kept)

    @shapes(OS)
    @pytest.mark.parametrize("direction", [TO_SERVER, FROM_SERVER], ids=["request-lost", "answer-lost"])
    @pytest.mark.parametrize("put", [points.small, points.large], ids=lambda put: put.__name__)
    def test_a_connection_cut_at_an_object(
        put: Callable[[FaultHub], None], direction: str, running: FaultHub, case: Callable[..., Case]
    ) -> None:
        lost = "request" if direction == TO_SERVER else "answer"
        kept = case(
            f"object storage target cut at the first write, {lost} lost", "Connections cut by a proxy"
        )
        put(running)
        cut_at(running, "ledger_copying", "target", direction)
        ends_well(running)
        settle(running, kept)


def cut_at(hub: FaultHub, point: str, side: str, direction: str) -> None:
    """Freeze the worker for a moment at this point, so that the very next byte is the one that is cut."""
    hub.arm(point, "STOP")
    hub.run()
    hub.wait(hub.struck, 40, f"{point} passed", every=0.02)
    pid = hub.wait(hub.frozen, 10, f"frozen at {point}", every=0.02)
    proxy = place_of(hub, side).proxy
    proxy.cut(direction, 1)
    kill(pid, signal.SIGCONT)
    hub.wait(lambda: proxy.struck, 20, "cut", every=0.02)
