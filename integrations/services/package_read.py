"""Reading an uploaded package: bounded, nothing unknown, every file with the digest its manifest gives."""

import hashlib
import io
import json
import zipfile
import zlib
from collections import Counter
from typing import Any

from integrations.engine.faults import InvalidMessage
from integrations.services.package_format import (
    KINDS,
    LOOKUPS,
    MANIFEST,
    MEMBER,
    VERSION,
    Package,
    check_schema,
    item_name,
)

LARGEST_ZIP = 20 * 1024 * 1024
MOST_MEMBERS = 3000
LARGEST_MEMBER = 16 * 1024 * 1024  # bytes of a lookup, unpacked
LARGEST_OTHER = 2 * 1024 * 1024  # bytes of anything else, unpacked
LARGEST_WHOLE = 64 * 1024 * 1024  # bytes of all members, unpacked
MOST_VALUES = 2_000_000  # of all members: a value takes up to thirty times its bytes once it is read
_PACKING = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_AGAIN = "Export it again."


def package_read(content: bytes) -> Package:
    """A package from a zip's bytes; InvalidMessage says what of it is not as a package is. Unpacks in memory only."""
    if len(content) > LARGEST_ZIP:
        raise InvalidMessage(
            f"The file is larger than {LARGEST_ZIP // 1024 // 1024} MB",
            hint="Export fewer packages at a time.",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = _unpacked(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError):
        raise InvalidMessage("The file is no zip file, or it is damaged", hint=_AGAIN) from None
    return _package(files)


def _unpacked(archive: zipfile.ZipFile) -> dict[str, bytes]:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise InvalidMessage(f"The file has more than {MOST_MEMBERS:,} members")
    files: dict[str, bytes] = {}
    left = LARGEST_WHOLE
    for member in members:
        _check_member(member, files)
        files[member.filename] = _member(archive, member, left)
        left -= len(files[member.filename])
    _check_values(files)
    return files


def _check_values(files: dict[str, bytes]) -> None:
    """Before anything is parsed: every value of a JSON text but the first follows one of these bytes."""
    if sum(content.count(byte) for content in files.values() for byte in (b"[", b"{", b",")) > MOST_VALUES:
        raise InvalidMessage(
            f"The file has more than {MOST_VALUES:,} values", hint="Export fewer packages at a time."
        )


def _check_member(member: zipfile.ZipInfo, files: dict[str, bytes]) -> None:
    name = member.filename
    if name != MANIFEST and not MEMBER.fullmatch(name):
        raise InvalidMessage(
            f"The file has a member {name[:100]!r}, which no package has",
            hint="It was changed, or is no package.",
        )
    if name in files:
        raise InvalidMessage(f"The file has the member {name} twice", hint=_AGAIN)
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _PACKING:
        raise InvalidMessage(f"{name} is encrypted or packed in a way packages are not", hint=_AGAIN)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int) -> bytes:
    """Unpacked up to its limit or what is left of the whole, whatever size its header claims."""
    largest = LARGEST_MEMBER if member.filename.startswith(f"{LOOKUPS}/") else LARGEST_OTHER
    limit = min(largest, left)
    with archive.open(member) as packed:
        content = packed.read(limit + 1)
    if len(content) > limit:
        raise InvalidMessage(
            f"{member.filename} is too large when unpacked: at most {LARGEST_MEMBER // 1024 // 1024} MB a lookup, "
            f"{LARGEST_OTHER // 1024 // 1024} MB each of the others and "
            f"{LARGEST_WHOLE // 1024 // 1024} MB in all"
        )
    return content


def _package(files: dict[str, bytes]) -> Package:
    if MANIFEST not in files:
        raise InvalidMessage("The file has no manifest.json: it is no package of the hub")
    manifest = _json(MANIFEST, files.pop(MANIFEST))
    check_schema(MANIFEST, manifest, MANIFEST)
    if manifest["formatVersion"] > VERSION:
        raise InvalidMessage(
            f"The package is of format {manifest['formatVersion']}; this hub reads up to {VERSION}",
            hint="Update this hub first.",
        )
    _check_digests(manifest["files"], files)
    items: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for name, content in sorted(files.items()):
        kind = name.partition("/")[0]
        item = _json(name, content)
        check_schema(kind, item, name)
        items[kind].append(item)
    _check_once(items)
    return Package(manifest, items)


def _check_once(items: dict[str, list[dict[str, Any]]]) -> None:
    for kind, found in items.items():
        for name, count in Counter(item_name(kind, item) for item in found).items():
            if count > 1:
                raise InvalidMessage(f"The package has {name} {count} times under {kind}/", hint=_AGAIN)


def _check_digests(said: dict[str, dict[str, Any]], files: dict[str, bytes]) -> None:
    for name in sorted({*said, *files}):
        if name not in files:
            raise InvalidMessage(f"The manifest names {name}, which is not in the file", hint=_AGAIN)
        if name not in said:
            raise InvalidMessage(f"The file has {name}, which its manifest does not name", hint=_AGAIN)
        if hashlib.sha256(files[name]).hexdigest() != said[name]["sha256"]:
            raise InvalidMessage(f"{name} is not what was exported: its digest differs", hint=_AGAIN)


def _json(name: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidMessage(f"{name} is no JSON: {error}", hint=_AGAIN) from None
