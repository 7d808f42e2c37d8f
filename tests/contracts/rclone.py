"""`rclone serve s3` as a site: an S3 server that is not ours, with its objects in a folder.

It differs from S3 where it says so itself: metadata of objects are in its memory only, names are file names, so a key
cannot be a folder's too, and both normal forms of a name are one. It ignores If-None-Match, If-Match and a listing's
marker that is no key of its; the adapter works without them.
"""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from bench.rclone import ObjectPlace, object_server, rclone_binary
from integrations.adapters.contract import Endpoint
from tests.contracts.sites import BucketSite

BUCKET = "ccs-out"


class RcloneSite(BucketSite):
    """A bucket at rclone's server."""

    one_normal_form = True


class Rclone:
    """The running server, as sites know servers."""

    def __init__(self, place: ObjectPlace) -> None:
        self.place = place
        self._client = boto3.client(
            "s3",
            endpoint_url=place.url,
            region_name="us-east-1",
            aws_access_key_id=place.access_key,
            aws_secret_access_key=place.secret_key,
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )

    def client(self) -> Any:
        """A boto3 client with the right key."""
        return self._client

    def close(self) -> None:
        """Let go of sockets."""
        self._client.close()

    def stop(self) -> None:
        """The server is gone."""
        os.kill(self.place.pid, signal.SIGKILL)
        wait_until_gone(int(self.place.url.rpartition(":")[2]))


@contextmanager
def rclone(tmp_path: Path) -> Iterator[RcloneSite]:
    """The server with an empty bucket; skips where rclone is not installed."""
    if not rclone_binary():
        pytest.skip("rclone (requirements-rclone.txt) is not installed")
    with object_server(tmp_path) as place:
        place.bucket(BUCKET)
        settings = {"endpoint_url": place.url, "access_key": place.access_key, "bucket": BUCKET}
        endpoint = Endpoint(
            "RC", "object_storage", settings, {"secret_key": place.secret_key}, read_timeout=10
        )
        with closing(Rclone(place)) as server:
            yield RcloneSite(endpoint, BUCKET, server)


def wait_until_gone(port: int, seconds: float = 10) -> None:
    """Until nothing listens on the loopback port any more."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"127.0.0.1:{port} still answers after {seconds} s")
