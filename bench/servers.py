"""SFTP servers: OpenSSH's own, each on a loopback port of its own, with keys of this run."""

import getpass
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko

from bench.processes import free_port, running, wait_for_port

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin") or ""
SFTP = shutil.which("sftp") or ""


@dataclass(frozen=True, slots=True)
class FileServer:
    """How to reach it. `private` and `known_hosts`: files with the user's key, and the server's as `ssh` knows it."""

    port: int
    user: str
    host_key: str
    private: str
    known_hosts: str

    @property
    def secrets(self) -> dict[str, str]:
        """As a connection has them."""
        return {"private_key": Path(self.private).read_text()}


@contextmanager
def openssh(work: Path) -> Iterator[FileServer]:
    """OpenSSH with a configuration and keys of its own in `work`, for the user who runs this, SFTP and nothing else;
    RuntimeError where it is not installed.
    """
    if not (SSHD and SFTP):
        raise RuntimeError("OpenSSH's sshd and sftp are needed (Debian: apt-get install openssh-server)")
    folder, port = work / "sshd", free_port()
    folder.mkdir(parents=True)
    public = _new_key(folder / "user_key")
    (folder / "authorized_keys").write_text(public + "\n")
    host_key = _new_key(folder / "host_key")
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        "Subsystem sftp internal-sftp\nForceCommand internal-sftp\nMaxStartups 100\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    log = folder / "log"
    with running([SSHD, "-D", "-e", "-f", str(folder / "config")], log=log) as process:
        wait_for_port(port, process, log)
        yield FileServer(
            port, getpass.getuser(), host_key, str(folder / "user_key"), str(folder / "known_hosts")
        )


def _new_key(path: Path) -> str:
    """A new key in a file only its owner can read; its public half."""
    key, text = paramiko.ECDSAKey.generate(), io.StringIO()
    key.write_private_key(text)
    path.touch(mode=0o600)
    path.write_text(text.getvalue())
    return f"{key.get_name()} {key.get_base64()}"
