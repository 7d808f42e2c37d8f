"""A file that comes with a message may be of any size: it is stored and passed on in bounded memory."""

import hashlib
import os
import random
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import rmtree

import pytest
from django.test.client import ClientHandler

from bench.rclone import object_server, rclone_binary
from demo.objects import ObjectServer
from integrations.storage import payload_open
from tests.unit.api.conftest import SECRET, TRANSFER_URL, basic
from tests.unit.api.served import BOUNDARY, MIB, around, served

FULL = bool(os.environ.get("FULL"))
MOST_ABOVE_IDLE = 60  # MiB
BLOCK = random.Random(1).randbytes(MIB)


def blocks(count: int) -> Iterator[bytes]:
    """Mebibytes, no two alike, which nobody holds together."""
    for number in range(count):
        yield number.to_bytes(8, "big") + BLOCK[8:]


def digest_of(count: int) -> str:
    found = hashlib.sha256()
    for block in blocks(count):
        found.update(block)
    return found.hexdigest()


# -- in this process, so that it is quick --------------------------------------------------------------------


class Stream:
    """A request's body that is made as it is read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, b"")):
            self._rest += piece
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def readline(self, size: int = -1) -> bytes:
        raise AssertionError("Nobody reads a body by lines: a file may have none")


@pytest.fixture
def post(dacs):
    """Send a file of so many MiB to the hub's own handler of requests; status and body of the answer."""

    def send(count: int, **environ: str) -> tuple[int, bytes]:
        before, after = around("big.csv")
        pieces = (piece for part in ([before], blocks(count), [after]) for piece in part)
        answer = ClientHandler()(
            {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": TRANSFER_URL,
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "80",
                "REMOTE_ADDR": "127.0.0.1",
                "wsgi.url_scheme": "http",
                "wsgi.input": Stream(pieces),
                "HTTP_AUTHORIZATION": basic("dacs", SECRET),
                "CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY.decode()}",
                "CONTENT_LENGTH": str(len(before) + count * MIB + len(after)),
                **environ,
            }
        )
        return answer.status_code, answer.content  # type: ignore[attr-defined]  # a Django response

    return send


def stored_digest(payload) -> str:
    found = hashlib.sha256()
    with payload_open(payload) as reader:
        while chunk := reader.read(MIB):
            found.update(chunk)
    return found.hexdigest()


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_a_file_goes_to_the_store_and_comes_from_it_in_constant_memory(post, services, settings, encrypted):
    settings.PAYLOAD_ENCRYPT = encrypted
    tracemalloc.start()
    status, body = post(48)
    read = stored_digest(services.given["attachment"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (status, read) == (200, digest_of(48)), body
    assert peak < 12 * MIB


def test_no_limit_for_messages_or_uploads_is_one_for_the_file(post, services, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = settings.FILE_UPLOAD_MAX_MEMORY_SIZE = settings.HUB_MAX_BODY = 1000
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1
    status, body = post(5)
    assert (status, services.given["attachment"].size) == (200, 5 * MIB), body


def test_a_file_without_an_announced_length_is_taken_whole(post, services):
    status, body = post(5, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert (status, services.given["attachment"].size) == (200, 5 * MIB), body


# -- behind a real server ------------------------------------------------------------------------------------


def object_storage(stack: ExitStack, folder: Path) -> dict[str, str]:
    """An S3 payload store, on disk where rclone is installed; the hub's environment for it."""
    if rclone_binary():
        place = stack.enter_context(object_server(folder))
        place.bucket("payloads")
        url, key, secret = place.url, place.access_key, place.secret_key
    else:
        server = stack.enter_context(ObjectServer(["payloads"]))
        url, key, secret = server.url, server.access_key, server.secret_key
    return {
        "PAYLOAD_STORE": f"s3://payloads/prefix?endpoint_url={url}&region=us-east-1",
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
    }


CASES = [("file", 300, False), ("file", 300, True), ("s3", 300, False)]
# S3 takes no object above 5 GiB in one piece, and copies none.
LONG_CASES = [("file", 5200, False), ("s3", 5200, True)] if FULL and rclone_binary() else []


@pytest.mark.fault
@pytest.mark.timeout(1500 if FULL else 300)
@pytest.mark.parametrize(("store", "mib", "chunked"), [*CASES, *LONG_CASES])
def test_a_file_passes_the_web_server_the_store_and_the_flow_in_bounded_memory(
    tmp_path: Path, store: str, mib: int, chunked: bool
):
    with ExitStack() as stack:
        stack.callback(rmtree, tmp_path)  # pytest keeps the folders of three runs
        more = object_storage(stack, tmp_path / "objects") if store == "s3" else {}
        hub = stack.enter_context(served(tmp_path, more))
        assert hub.post("small.csv", blocks(9), 9 * MIB)[0] == 200  # what a first request loads is loaded
        idle = hub.resident()
        status, answer = hub.post("big.csv", blocks(mib), mib * MIB, chunked=chunked)
        above = hub.peak() - idle
        assert (status, answer) == (
            200,
            {"status": "SUCCESS", "size": mib * MIB, "sha256": digest_of(mib)},
        )
        assert (hub.target / "big.csv").stat().st_size == mib * MIB
        assert above < MOST_ABOVE_IDLE, f"{above:.0f} MiB above idle"
