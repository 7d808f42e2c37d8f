"""The yardsticks of the file flow: the same files fetched and put by the plainest means, over the same server."""

import base64
import subprocess
from pathlib import Path

import paramiko

from bench.servers import SFTP, FileServer

LONGEST_SECONDS = 3600


def by_paramiko(server: FileServer, source: str, target: str, names: list[str], scratch: Path) -> None:
    """SFTPClient.get and .put, a file after the other, a session for each side, nothing else."""
    with paramiko.SSHClient() as reading, paramiko.SSHClient() as writing:
        fetch, store = _client(reading, server), _client(writing, server)
        for name in names:
            fetch.get(f"{source}/{name}", str(scratch / name))
            store.put(str(scratch / name), f"{target}/{name}")


def _client(ssh: paramiko.SSHClient, server: FileServer) -> paramiko.SFTPClient:
    kind, text = server.host_key.split()
    key = paramiko.PKey.from_type_string(kind, base64.b64decode(text))
    ssh.get_host_keys().add(f"[127.0.0.1]:{server.port}", kind, key)
    ssh.connect(
        "127.0.0.1",
        server.port,
        server.user,
        password=server.password or None,
        key_filename=server.private or None,
        look_for_keys=False,
        allow_agent=False,
    )
    return ssh.open_sftp()


def by_openssh(server: FileServer, source: str, target: str, names: list[str], scratch: Path) -> None:
    """The program `sftp`: one call that fetches all, then one that puts all."""
    known = scratch.with_suffix(".known")
    known.write_text(f"[127.0.0.1]:{server.port} {server.host_key}\n")
    _sftp(server, known, f"lcd {scratch}\ncd {source}\n" + "".join(f"get {name}\n" for name in names))
    _sftp(server, known, f"lcd {scratch}\ncd {target}\n" + "".join(f"put {name}\n" for name in names))
    known.unlink()


def _sftp(server: FileServer, known: Path, batch: str) -> None:
    options = ["-q", "-b", "-", "-i", server.private, "-P", str(server.port)]
    strict = ["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={known}"]
    done = subprocess.run(
        [SFTP, *options, *strict, f"{server.user}@127.0.0.1"],
        input=batch,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"sftp ended with {done.returncode}: {done.stderr[-500:]}")
