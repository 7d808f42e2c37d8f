"""The file servers: OpenSSH's own on a loopback port where it is installed, else the demo's, each its own process.

`python -m bench.servers FOLDER` serves FOLDER with the demo's server and prints how to reach it as JSON.
"""

import getpass
import io
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from bench.processes import ROOT, end_group, free_port, python, running, wait_for_port
from demo.sftp import SftpServer

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin") or ""
SFTP = shutil.which("sftp") or ""
USER = "bench"


@dataclass(frozen=True, slots=True)
class FileServer:
    """How to reach it. `root`: what `/` of a path means there; `private`: a key's file, "" for a password."""

    what: str
    port: int
    user: str
    host_key: str
    root: str
    password: str = field(default="", repr=False)
    private: str = field(default="", repr=False)

    @property
    def secrets(self) -> dict[str, str]:
        """As a connection has them."""
        if self.private:
            return {"private_key": Path(self.private).read_text()}
        return {"password": self.password}

    def path_of(self, path: Path) -> str:
        """How the server's users name this path."""
        return str(path) if self.root == "/" else f"/{path.relative_to(self.root)}"


@contextmanager
def file_server(work: Path, files: Path) -> Iterator[FileServer]:
    """A server of `files`, until the block ends; its keys and log are in `work`."""
    with openssh(work) if SSHD else demo_server(files) as server:
        yield server


@contextmanager
def openssh(work: Path) -> Iterator[FileServer]:
    """OpenSSH with a configuration and keys of its own, for the user who runs this."""
    folder, port = work / "sshd", free_port()
    folder.mkdir()
    public = _new_key(folder / "user_key")
    (folder / "authorized_keys").write_text(public + "\n")
    host_key = _new_key(folder / "host_key")
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        "Subsystem sftp internal-sftp\nMaxStartups 100\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    log = folder / "log"
    with running([SSHD, "-D", "-e", "-f", str(folder / "config")], log=log) as process:
        wait_for_port(port, process, log)
        private = str(folder / "user_key")
        yield FileServer("OpenSSH", port, getpass.getuser(), host_key, "/", private=private)


def _new_key(path: Path) -> str:
    """A new key in a file only its owner can read; its public half."""
    key, text = paramiko.ECDSAKey.generate(), io.StringIO()
    key.write_private_key(text)
    path.touch(mode=0o600)
    path.write_text(text.getvalue())
    return f"{key.get_name()} {key.get_base64()}"


@contextmanager
def demo_server(files: Path) -> Iterator[FileServer]:
    """The demo's server in a process of its own."""
    password = secrets.token_urlsafe(24)
    process = subprocess.Popen(
        python("-m", "bench.servers", str(files)),
        env={**os.environ, "BENCH_PASSWORD": password},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise RuntimeError("The demo's SFTP server did not start; its message is above")
        told = json.loads(line)
        yield FileServer(
            "the demo's server", told["port"], USER, told["host_key"], str(files), password=password
        )
    finally:
        end_group(process)


def main() -> None:
    """Serve until standard input ends."""
    with SftpServer(Path(sys.argv[1]), {USER: os.environ["BENCH_PASSWORD"]}) as server:
        sys.stdout.write(json.dumps({"port": server.port, "host_key": server.host_key}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
