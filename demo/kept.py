"""What a demo keeps from one start to the next: log-ins made once, ports taken again where they are free."""

import json
import secrets
import socket
from pathlib import Path
from typing import Any


class Kept:
    """A JSON file only its owner can read: names to values."""

    def __init__(self, path: Path) -> None:
        """Reads what is there."""
        self._path = path
        self._values: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def secret(self, name: str, *, bytes_of_chance: int = 24) -> str:
        """The secret of this name, made the first time it is asked for."""
        if name not in self._values:
            self._save(name, secrets.token_urlsafe(bytes_of_chance))
        return str(self._values[name])

    def port(self, name: str) -> int:
        """The port of the last start where it is free now, else 0: any."""
        port = int(self._values.get(f"port of {name}", 0))
        return port if port and port_is_free(port) else 0

    def keep_port(self, name: str, port: int) -> None:
        """For the next start."""
        self._save(f"port of {name}", port)

    def _save(self, name: str, value: Any) -> None:
        self._values[name] = value
        write_private(self._path, self._values)


def write_private(path: Path, content: Any) -> None:
    """JSON that only its owner can read, under its name from the moment it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    scratch.touch(mode=0o600)
    scratch.write_text(json.dumps(content, indent=2) + "\n")
    scratch.replace(path)


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
