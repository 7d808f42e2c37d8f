"""Servers of their own for tests that stop or restart one; the machine's are left alone."""

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.kept import port_is_free


def free_port() -> int:
    """A loopback port nobody listens on now, below those the system gives to others while a server is down."""
    return next(port for port in iter(lambda: random.randint(20_000, 32_000), 0) if port_is_free(port))


def wait_for(port: int, seconds: float = 20) -> None:
    """Until something listens on the loopback port; TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"Nothing listens on 127.0.0.1:{port} after {seconds} s")


def postgres_program(name: str) -> str:
    """The path of one of PostgreSQL's programs, the newest version's; skips where there is none."""
    packaged = [str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    found = max(packaged, default=shutil.which(name))
    if found is None:
        pytest.skip("PostgreSQL's server programs are not installed")
    return found


class PrivatePostgres:
    """A PostgreSQL cluster in a directory of its own, trusting the loopback address."""

    def __init__(self, directory: Path) -> None:
        """Made with initdb, as the postgres user where we are root, whom initdb refuses."""
        self.port, self.data = free_port(), directory / "data"
        self._user = "postgres" if os.geteuid() == 0 else None
        directory.mkdir(parents=True, exist_ok=True)
        if self._user:
            shutil.chown(directory, self._user)
            for parent in directory.parents:
                if parent.owner() == "root" and not parent.stat().st_mode & 0o001:
                    parent.chmod(parent.stat().st_mode | 0o011)
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")

    @property
    def url(self) -> str:
        """For DATABASE_URL."""
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def _run(self, program: str, *args: object) -> None:
        command = [postgres_program(program), *map(str, args)]
        subprocess.run(command, check=True, user=self._user, capture_output=True, cwd="/", timeout=60)

    def start(self) -> None:
        """And wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        log = self.data.parent / "log"
        self._run("pg_ctl", "-D", self.data, "-o", options, "-l", log, "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """`mode` as pg_ctl has it: fast, or immediate for a crash."""
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")


@contextmanager
def private_postgres(directory: Path) -> Iterator[PrivatePostgres]:
    """A started cluster, stopped at the end."""
    server = PrivatePostgres(directory)
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")


class PrivateRedis:
    """A Redis without persistence: restarted, it is empty, which is what the fault tests ask for."""

    def __init__(self, directory: Path) -> None:
        """Not started yet."""
        self.port, self._directory = free_port(), directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For Q_REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """And wait until it listens."""
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not installed")
        settings = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [program, *settings, "--dir", str(self._directory)], stdout=subprocess.DEVNULL
        )
        wait_for(self.port)

    def stop(self) -> None:
        """Killed, as a machine that lost power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def private_redis(directory: Path) -> Iterator[PrivateRedis]:
    """A started Redis, killed at the end."""
    server = PrivateRedis(directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()
