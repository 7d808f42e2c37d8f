"""A worker is killed at each named point; the file is still delivered exactly once, and told of once."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults import points
from tests.faults.conftest import FULL
from tests.faults.hub import FaultHub, Shape
from tests.faults.judging import settle
from tests.faults.points import AFTER_SUCCESS, BEFORE_SUCCESS, OS, SFTP, SSHD
from tests.faults.processes import kill
from tests.faults.proxy import TO_SERVER
from tests.faults.report import Case

Put = Callable[[FaultHub], None]
BOUNDED = [
    (SFTP, "while_copying", points.large),
    (SFTP, "verified_not_renamed_at_target", points.small),
    (SFTP, "published_not_recorded", points.small),
    (SFTP, "renamed_not_recorded", points.small),
    (SFTP, BEFORE_SUCCESS, points.small),
    (OS, "copied_not_verified", points.small),
]
NOT_AT_OS = {"verified_not_renamed_at_target"}  # an object is there under its name when it is whole
PUTS: dict[str, list[Put]] = {
    "between_volleys": [points.volleys],
    "before_success_recorded": [
        points.large
    ],  # the children of a volley have no success of their own to record
    "after_success_recorded": [points.large],
}
FOR_SSHD = (
    "while_copying",
    "verified_not_renamed_at_target",
    "published_not_recorded",
    "renamed_not_recorded",
)


def all_cases() -> Iterator[tuple[Shape, str, Put]]:
    """Each point with small files and with a large one, to SFTP and to object storage; some with OpenSSH's server."""
    for shape in (SFTP, OS, SSHD):
        for point in FOR_SSHD if shape is SSHD else points.WORDS:
            if shape is OS and point in NOT_AT_OS:
                continue
            puts = PUTS.get(point, [points.small, points.large])
            yield from ((shape, point, put) for put in puts)
        if shape is SFTP:
            yield shape, "between_files", points.several_large


CASES = [
    pytest.param(shape, point, put, id=f"{shape}-{point}-{put.__name__}")
    for shape, point, put in (all_cases() if FULL else BOUNDED)
    if points.names_in(point) <= points.known_points()
]


def group(hub: FaultHub, put: Put) -> str:
    """The table a case stands in."""
    what = {"small": "six small files", "large": "one large file", "volleys": "small files in two volleys"}
    to = "object storage" if hub.shape.target == "os" else "SFTP"
    return f"Worker killed, SFTP to {to}, {what.get(put.__name__, 'three large files')}"


@pytest.mark.parametrize(("running", "point", "put"), CASES, indirect=["running"])
def test_a_worker_killed_at(point: str, put: Put, running: FaultHub, case: Callable[..., Case]) -> None:
    kept = case(words(running, point), group(running, put))
    put(running)
    running.arm(point)
    running.run()
    running.wait(running.struck, 40, f"{point} passed")
    (run,) = running.ended()
    assert run["status"] == "succeeded"
    assert run["attempts"] == attempts(point)
    settle(running, kept)


def words(hub: FaultHub, point: str) -> str:
    server = " (OpenSSH's server)" if hub.shape.sshd else ""
    return f"{points.WORDS[point]}{server}"


def attempts(point: str) -> list[str]:
    """How a run ends whose worker was killed at this point once."""
    unclaimed = point in (AFTER_SUCCESS, "before_claim")
    return ["succeeded"] if unclaimed else ["crashed", "succeeded"]


OFFSETS = [0.02, 0.3, 0.6, 0.95] if FULL else [0.6]


@pytest.mark.parametrize(
    "put", [points.large, points.small] if FULL else [points.large], ids=lambda put: put.__name__
)
@pytest.mark.parametrize("part", OFFSETS)
@pytest.mark.parametrize("running", [SFTP, OS] if FULL else [OS], indirect=True, ids=str)
def test_a_worker_killed_when_so_much_is_copied(
    part: float, put: Put, running: FaultHub, case: Callable[..., Case]
) -> None:
    kept = case(f"{part:.0%} copied", group(running, put))
    put(running)
    total = sum(size for size, _ in running.files.values())
    running.target.proxy.at(TO_SERVER, int(part * total), lambda: kill(running.busy_worker()))
    running.run()
    running.wait(lambda: running.target.proxy.struck, 40, f"{part:.0%} copied", every=0.02)
    (run,) = running.ended()
    assert (run["status"], run["attempts"]) == ("succeeded", ["crashed", "succeeded"])
    settle(running, kept)


def test_every_crash_point_of_the_hub_is_tested() -> None:
    tested = set(points.ELSEWHERE).union(*map(points.names_in, points.WORDS))
    assert points.known_points() - tested == set()
