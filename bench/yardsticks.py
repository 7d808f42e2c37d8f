"""What the hub is measured against on a route: `rclone copy`, and OpenSSH's `sftp` as far as it goes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.ends import SftpEnd
from bench.rclone import Spent, copy
from bench.routes import Route

RCLONE, RCLONE_TUNED = "rclone copy", "rclone copy, tuned"
# What made one batch or the other faster here. More transfers than these each cost a log-in and were slower.
TUNED = (
    *("--transfers", "8", "--checkers", "16", "--multi-thread-streams", "8", "--use-server-modtime"),
    *("--sftp-concurrency", "128", "--sftp-chunk-size", "255Ki", "--sftp-set-modtime=false"),
    *("--s3-upload-concurrency", "8", "--s3-chunk-size", "16Mi", "--s3-no-check-bucket"),
)
GET, PUT = "sftp get", "sftp put"


@dataclass(frozen=True, slots=True)
class Way:
    """A way to move a route's files. `whole`: whether they end at the target, so that they can be checked there;
    `steps`: what it took one after the other, where that is more than one thing.
    """

    name: str
    move: Callable[[Route], dict[str, Spent]]
    whole: bool = True


def ways(route: Route, *, flush: bool) -> Iterator[Way]:
    """All there are for this route. `flush`: the hub has the target put each file on its disk, so `sftp` has, too."""
    yield Way(RCLONE, lambda route: {RCLONE: copy(route.source.spec(), route.target.spec())})
    yield Way(
        RCLONE_TUNED,
        lambda route: {RCLONE_TUNED: copy(route.source.spec(), route.target.spec(), flags=TUNED)},
    )
    put = f"{PUT} -f" if flush else PUT
    match route.source, route.target:
        case SftpEnd(), SftpEnd():
            yield Way(f"{GET}, then {put.removeprefix('sftp ')}", lambda route: _through(route, put))
        case SftpEnd(), _:
            yield Way(f"{GET} alone", lambda route: {GET: _get(route)}, whole=False)
        case _, SftpEnd():
            yield Way(f"{put} alone", lambda route: {put: _put(route, put, at_hand=True)})


def _through(route: Route, put: str) -> dict[str, Spent]:
    """To a folder here, and from there on: `sftp` has no other way from server to server."""
    return {GET: _get(route), put: _put(route, put)}


def _get(route: Route) -> Spent:
    end = route.source
    assert isinstance(end, SftpEnd)  # noqa: S101  (as `ways` has looked)
    return end.program([f"get {name}" for name in route.names], route.scratch)


def _put(route: Route, put: str, *, at_hand: bool = False) -> Spent:
    """From the scratch folder, or, where they lie on this machine anyway, from the source's."""
    end = route.target
    assert isinstance(end, SftpEnd)  # noqa: S101  (as `ways` has looked)
    here = route.source.folder if at_hand else route.scratch
    return end.program([f"{put.removeprefix('sftp ')} {name}" for name in route.names], here)
