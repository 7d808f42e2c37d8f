"""Reading FTP listings: MLSD (RFC 3659), or the two forms of LIST that servers without it send."""

import re
from collections.abc import Iterator

from integrations.adapters.contract import FileInfo
from integrations.adapters.names import decode_name

_UNIX = re.compile(
    rb"^(?P<kind>[-dlbcps])\S{9}\S*\s+\d+\s+\S+\s+\S+\s+(?P<size>\d+)\s+"
    rb"(?P<when>\S+\s+\S+\s+\S+)\s(?P<name>.+)$"
)
_DOS = re.compile(rb"^(?P<when>\S+\s+\S+)\s+(?P<size><DIR>|\d+)\s(?P<name>.+)$")


def from_mlsd(content: bytes) -> Iterator[FileInfo]:
    """Entries of an MLSD answer; the directory itself and its parent are left out."""
    for line in _lines(content):
        facts, _, raw = line.partition(b" ")
        found = dict(
            part.lower().split("=", 1) for part in facts.decode("ascii", "replace").split(";") if "=" in part
        )
        kind = found.get("type", "file")
        if kind in ("cdir", "pdir") or not raw:
            continue
        yield _info(raw, found.get("size", "0"), found.get("modify", ""), kind)


def from_list(content: bytes) -> Iterator[FileInfo]:
    """Entries of a LIST answer, Unix or DOS style; other lines (totals) are left out."""
    for line in _lines(content):
        if match := _UNIX.match(line):
            kind = {b"d": "dir", b"-": "file"}.get(match["kind"], "special")
            raw = match["name"].partition(b" -> ")[0] if match["kind"] == b"l" else match["name"]
            kind = "file" if match["kind"] == b"l" else kind
            yield from _unless_dots(raw, match["size"], match["when"], kind)
        elif match := _DOS.match(line):
            kind = "dir" if match["size"] == b"<DIR>" else "file"
            yield from _unless_dots(match["name"].lstrip(), match["size"], match["when"], kind)


def _lines(content: bytes) -> Iterator[bytes]:
    for line in content.split(b"\n"):
        if stripped := line.removesuffix(b"\r"):
            yield stripped


def _unless_dots(raw: bytes, size: bytes, when: bytes, kind: str) -> Iterator[FileInfo]:
    if raw not in (b".", b".."):
        yield _info(
            raw, size.decode("ascii", "replace"), " ".join(when.decode("ascii", "replace").split()), kind
        )


def _info(raw: bytes, size: str, modified: str, kind: str) -> FileInfo:
    name, trouble = decode_name(raw)
    if kind not in ("file", "dir"):
        trouble = trouble or "it is no ordinary file"
    return FileInfo(
        name, int(size) if size.isdigit() else 0, modified, is_directory=kind == "dir", trouble=trouble
    )
