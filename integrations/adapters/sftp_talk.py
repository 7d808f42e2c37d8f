"""What is said with an SFTP server about one small file: the talks of a volley (sftp_volley.py)."""

import hashlib
import stat as modes
from collections import deque
from collections.abc import Generator

from integrations.adapters.contract import CHUNK, Endpoint, FileInfo, Written
from integrations.adapters.errors import AdapterError, AlreadyExists, NotFound
from integrations.adapters.names import path_of, shown_name
from integrations.adapters.several import Parcel, Whole
from integrations.adapters.sftp_answers import (
    EOF,
    FAILURE,
    NO_SUCH_FILE,
    UNSUPPORTED,
    Answer,
    Attributes,
    StatusError,
    attributes_in,
    data_in,
    handle_in,
)
from integrations.adapters.sftp_login import where_of
from integrations.adapters.sftp_stream import ReadAhead, check_size, sftp_errors
from integrations.adapters.sftp_volley import Talk
from integrations.adapters.sftp_wire import Wire

LARGEST = 16 * 1024 * 1024  # bytes of a file that are taken into memory


def file_info(name: str, attributes: Attributes, trouble: str = "") -> FileInfo:
    """A file as its attributes show it."""
    mode = attributes.mode or 0
    directory = modes.S_ISDIR(mode)
    special = modes.S_IFMT(mode) and not directory and not modes.S_ISREG(mode)
    return FileInfo(
        name,
        size=attributes.size or 0,
        modified=str(attributes.modified or ""),
        is_directory=directory,
        trouble=trouble or ("it is no ordinary file" if special else ""),
    )


def reading(endpoint: Endpoint, wire: Wire, directory: str, name: str) -> Talk[Whole]:
    """The file whole, and its attributes after that.

    One that grows is read as far as it was at first sight, one that has become large as far as LARGEST: its attributes
    show that there is more.
    """
    path = path_of(directory, name)
    with sftp_errors(endpoint, path):
        handle = handle_in((yield wire.ask_open_read(path.encode())))
        try:
            content, attributes = yield from _first(wire, handle, path)
            most = LARGEST if attributes.size is None else min(attributes.size, LARGEST)
            if content and len(content) < most:
                content += _rest(
                    ReadAhead(endpoint, wire, handle, path, start=len(content)), most - len(content)
                )
                attributes = yield from _attributes(wire, wire.ask_file_stat(handle), path)
        except (StatusError, AdapterError):
            wire.forget(wire.ask_close(handle))
            raise
        yield wire.ask_close(handle)
    return Whole(file_info(name, attributes), content)


def _first(wire: Wire, handle: bytes, path: str) -> Generator[int, Answer, tuple[bytes, Attributes]]:
    """All of a file that is small enough, or its beginning; attributes asked for behind it."""
    read, stat = wire.ask_read(handle, 0, wire.read_block), wire.ask_file_stat(handle)
    content = b""
    try:
        content = data_in((yield read))
    except StatusError as error:
        if error.code != EOF:
            wire.forget(stat)
            raise
    return content, (yield from _attributes(wire, stat, path))


def _rest(reader: ReadAhead, most: int) -> bytes:
    """What one request did not bring, at most so many bytes. It waits, while the answers of the others come."""
    parts: list[bytes] = []
    while most > 0 and (part := reader.read(min(most, CHUNK))):
        parts.append(part)
        most -= len(part)
    reader.stop()
    return b"".join(parts)


def _attributes(wire: Wire, number: int, path: str) -> Generator[int, Answer, Attributes]:
    """Of the open file, or by its path where the server cannot say it of open ones."""
    try:
        return attributes_in((yield number))
    except StatusError:
        return attributes_in((yield wire.ask_stat(path.encode())))


def writing(endpoint: Endpoint, wire: Wire, directory: str, parcel: Parcel, *, flush: bool) -> Talk[Written]:
    """The file written and closed, its size compared; on the server's disk before, if `flush`."""
    path, size = path_of(directory, parcel.name), len(parcel.content)
    with sftp_errors(endpoint, path, wire):
        handle = handle_in((yield wire.ask_open_write(path.encode())))
        asked = _ask_writes(wire, handle, parcel.content)
        if flush and wire.can_flush:
            asked.append(wire.ask_flush(handle))
        stat, close = wire.ask_file_stat(handle), wire.ask_close(handle)
        digest = hashlib.sha256(parcel.content).hexdigest()
        try:
            while asked:
                yield asked.popleft()
        except StatusError:
            for number in (*asked, stat, close):
                wire.forget(number)
            raise
        there = yield from _closed_size(wire, stat, close)
        if there != size:  # some servers know it only of a closed file
            there = attributes_in((yield wire.ask_stat(path.encode()))).size
    check_size(endpoint, path, there, size)
    return Written(size, digest)


def _ask_writes(wire: Wire, handle: bytes, content: bytes) -> deque[int]:
    view, block = memoryview(content), wire.write_block
    return deque(
        wire.ask_write(handle, start, view[start : start + block]) for start in range(0, len(view), block)
    )


def _closed_size(wire: Wire, stat: int, close: int) -> Generator[int, Answer, int | None]:
    """What the server had before it closed the file; None where it does not say."""
    size = None
    try:
        size = attributes_in((yield stat)).size
    except StatusError:
        size = None
    yield close
    return size


def renaming(endpoint: Endpoint, wire: Wire, directory: str, old: str, new: str) -> Talk[None]:
    """By the protocol's rename, which never replaces; NotFound, AlreadyExists whatever the other name holds."""
    source, target = path_of(directory, old), path_of(directory, new)
    with sftp_errors(endpoint, f"{source} to {shown_name(new)}"):
        try:
            if source == target:
                yield wire.ask_stat(source.encode())
            else:
                yield wire.ask_rename(source.encode(), target.encode())
        except StatusError as error:
            if error.code == NO_SUCH_FILE:
                raise NotFound(f"{source} is not at {where_of(endpoint)}", detail=error.text) from error
            if error.code not in (FAILURE, UNSUPPORTED):
                raise
            yield from _renaming_otherwise(endpoint, wire, source, target, error)


def _renaming_otherwise(
    endpoint: Endpoint, wire: Wire, source: str, target: str, refusal: StatusError
) -> Generator[int, Answer, None]:
    """Why the server does not rename; one that cannot do it that way (no hard links) is asked for OpenSSH's."""
    here, there = wire.ask_stat(source.encode()), wire.ask_stat(target.encode())
    source_is_there = yield from _is_there(here)
    target_is_there = yield from _is_there(there)
    if not source_is_there:
        raise NotFound(f"{source} is not at {where_of(endpoint)}", detail=refusal.text)
    if target_is_there:
        raise AlreadyExists(f"{target} exists at {where_of(endpoint)} already")
    if not wire.can_replace:
        raise refusal
    yield wire.ask_posix_rename(source.encode(), target.encode())


def standing(endpoint: Endpoint, wire: Wire, directory: str, name: str) -> Talk[bool]:
    """Whether the name is there."""
    path = path_of(directory, name)
    with sftp_errors(endpoint, path):
        return (yield from _is_there(wire.ask_stat(path.encode())))


def _is_there(number: int) -> Generator[int, Answer, bool]:
    try:
        yield number
    except StatusError as error:
        if error.code != NO_SUCH_FILE:
            raise
        return False
    return True
