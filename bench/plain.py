"""OpenSSH's `sftp` and paramiko's own client over a server of this run."""

import base64
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import paramiko

from bench.processes import family_of, peak_mib
from bench.rclone import PEAK_EVERY_SECONDS, Spent
from bench.servers import SFTP, FileServer


def sftp_client(ssh: paramiko.SSHClient, server: FileServer) -> paramiko.SFTPClient:
    """paramiko's client, logged in."""
    kind, text = server.host_key.split()
    key = paramiko.PKey.from_type_string(kind, base64.b64decode(text))
    ssh.get_host_keys().add(f"[127.0.0.1]:{server.port}", kind, key)
    ssh.connect(
        "127.0.0.1",
        server.port,
        server.user,
        key_filename=server.private,
        look_for_keys=False,
        allow_agent=False,
    )
    return ssh.open_sftp()


def sftp_batch(server: FileServer, known: Path, batch: str) -> Spent:
    """The program `sftp` with these commands, and what it and its `ssh` took; RuntimeError where one fails."""
    options = ["-q", "-b", "-", "-i", server.private, "-P", str(server.port)]
    strict = ["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={known}"]
    return _measured([SFTP, *options, *strict, f"{server.user}@127.0.0.1"], batch)


def _measured(command: Sequence[str], text: str) -> Spent:
    """Run it with this input. Its standard output is nobody's; the end of its errors is in the RuntimeError."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
        given.write(text.encode())
        given.seek(0)
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=given, stdout=subprocess.DEVNULL, stderr=errors)
        peaks: dict[int, float] = {}
        watch = threading.Thread(target=_watch, args=(process.pid, peaks))
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.join()
        if process.returncode != 0:
            errors.seek(0)
            said = errors.read().decode(errors="replace")[-500:]
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {said}")
    return Spent(seconds, used.ru_utime + used.ru_stime, sum(peaks.values()))


def _watch(pid: int, peaks: dict[int, float]) -> None:
    """Note the peaks of a process and of all it started until it is gone."""
    with suppress(OSError, RuntimeError):
        while True:
            for one in family_of(pid):
                peaks[one] = peak_mib(one)
            time.sleep(PEAK_EVERY_SECONDS)


def together(spent: Mapping[str, Spent]) -> Spent:
    """What came one after the other, as one."""
    return Spent(
        sum(one.seconds for one in spent.values()),
        sum(one.cpu_seconds for one in spent.values()),
        max(one.peak_mib for one in spent.values()),
    )
