"""SFTP: files on an SSH server."""

import stat as modes
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from integrations.adapters import sftp_wire
from integrations.adapters.contract import (
    Endpoint,
    Field,
    FileInfo,
    FileStore,
    Reader,
    TestStep,
    Written,
    missing_fields,
)
from integrations.adapters.errors import (
    AdapterError,
    AlreadyExists,
    Misconfigured,
    NotFound,
    NotPermitted,
    Unwhole,
)
from integrations.adapters.names import decode_name, path_of, shown_name, usable_directory
from integrations.adapters.places import directory_setting, place_directory, same_content
from integrations.adapters.pool import Pool
from integrations.adapters.sftp_login import DEFAULT_PORT, Session, log_in, port_of, where_of
from integrations.adapters.sftp_stream import ReadAhead, send_file, sftp_errors
from integrations.adapters.sftp_wire import Attributes, StatusError, Wire
from integrations.adapters.ssh_keys import host_keys, private_key
from integrations.adapters.steps import Steps


class Sftp(FileStore):
    """Files on an SSH server, by password or key; the host key has to be known."""

    name = "sftp"
    label = "SFTP"
    fields = (
        Field("host", "Host", required=True),
        Field("port", "Port", kind=int, default=DEFAULT_PORT),
        Field("user", "User", required=True),
        Field("password", "Password", secret=True),
        Field("private_key", "Private key", secret=True, multiline=True, help="Ed25519, ECDSA or RSA."),
        Field("passphrase", "Passphrase of the key", secret=True),
        directory_setting(),
    )

    def __init__(self, endpoint: Endpoint) -> None:
        """Nothing is connected yet; raises Misconfigured where settings cannot work."""
        super().__init__(endpoint)
        self.where = where_of(endpoint)
        self._pool: Pool[Session] = Pool(
            lambda: log_in(endpoint), alive=Session.alive, close=lambda session: session.close()
        )

    @classmethod
    def problems(cls, endpoint: Endpoint) -> list[str]:
        """What is wrong with these settings, a sentence each."""
        found = missing_fields(cls.fields, endpoint)
        secrets = endpoint.secrets
        if not secrets.get("password") and not secrets.get("private_key"):
            found.append("There is neither a password nor a private key")
        if not endpoint.host_key.strip():
            found.append("The host key is missing; Test shows what the server offers")
        with _collected(found):
            port_of(endpoint, DEFAULT_PORT)
        with _collected(found):
            host_keys(endpoint.host_key)
        with _collected(found):
            if secrets.get("private_key"):
                private_key(secrets["private_key"], secrets.get("passphrase", ""))
        return found

    def close(self) -> None:
        """Let go of sockets; harmless twice."""
        self._pool.close()

    def test(self) -> list[TestStep]:
        """Resolve, connect, compare the host key, log in, list the directory."""
        steps = Steps()
        with steps.until_failure():
            session = log_in(self.endpoint, steps)
            try:
                self._test_list(session.wire, steps)
            finally:
                session.close()
        return steps.done

    def _test_list(self, wire: Wire, steps: Steps) -> None:
        directory = usable_directory(str(self.endpoint.settings.get("directory") or ""))
        with steps.step("List directory") as said, self._errors(directory or "the log-in's directory"):
            count = sum(1 for _ in wire.names(directory.encode() or b"."))
            said.append(f"{wire.real_path(directory.encode() or b'.')}: {count} names")

    def directory_for(self, place: Mapping[str, str]) -> str:
        """The directory a transfer message names."""
        return place_directory(place)

    # -- the contract ------------------------------------------------------------------------------------

    def list(self, directory: str, prefix: str = "") -> Iterator[FileInfo]:
        """Files and directories whose names begin with `prefix`, in name order."""
        base = usable_directory(directory)
        with self._session() as session, self._errors(base or "the log-in's directory"):
            found = [
                self._info(session.wire, base, raw, attributes)
                for raw, attributes in session.wire.names(base.encode() or b".")
                if raw.startswith(prefix.encode())
            ]
        yield from sorted(found, key=lambda info: info.name)

    def _info(self, wire: Wire, base: str, raw: bytes, attributes: Attributes) -> FileInfo:
        name, trouble = decode_name(raw)
        if attributes.mode is not None and modes.S_ISLNK(attributes.mode):
            try:
                attributes = wire.stat((base.encode() + b"/" if base else b"") + raw)
            except StatusError:
                trouble = trouble or "it is a link to nothing"
        return _file_info(name, attributes, trouble)

    def stat(self, directory: str, name: str) -> FileInfo | None:
        """The file, or None."""
        path = path_of(directory, name)
        with self._session() as session, self._errors(path):
            attributes = _stat(session.wire, path)
        return None if attributes is None else _file_info(name, attributes, "")

    @contextmanager
    def open(self, directory: str, name: str) -> Iterator[Reader]:
        """The file's bytes, streamed, with up to 2 MiB asked for ahead."""
        path = path_of(directory, name)
        with self._session() as session:
            with self._errors(path):
                handle = session.wire.open_read(path.encode())
            reader = ReadAhead(self.endpoint, session.wire, handle, path)
            try:
                yield reader
            finally:
                # Nothing read is lost by a close that fails, and a first error should be the one seen; but a
                # session that cannot close a file is not lent again, whoever swallowed that first error.
                try:
                    reader.finish()
                except AdapterError:
                    session.close()

    def write(
        self, directory: str, name: str, source: Reader, *, size: int | None = None, mark: str = ""
    ) -> Written:
        """Write and compare the size; SFTP keeps no metadata, so `mark` is only in the caller's part name."""
        path = path_of(directory, name)
        # A source that fails leaves answers and a handle behind: then the session is not used again.
        with self._pool.lend() as session:
            with self._errors(path):
                handle = session.wire.open_write(path.encode())
            written = send_file(self.endpoint, session.wire, handle, path, source)
            with self._errors(path):
                attributes = session.wire.stat(path.encode())
        if attributes.size is not None and attributes.size != written.size:
            raise Unwhole(f"{path} at {self.where} has {attributes.size} bytes, {written.size} were sent")
        return written

    def rename(self, directory: str, old: str, new: str) -> None:
        """By the protocol's rename, which never replaces; a leftover with the same content counts as done."""
        source, target = path_of(directory, old), path_of(directory, new)
        with self._session() as session, self._errors(f"{source} to {shown_name(new)}"):
            if _stat(session.wire, source) is None:
                raise NotFound(f"{source} is not at {self.where}")
            if source == target:
                return
            taken = _stat(session.wire, target) is not None
            if not taken and _renamed(session.wire, source.encode(), target.encode()):
                return
        if not same_content(self, directory, old, new):
            raise AlreadyExists(f"{target} exists at {self.where} already, with other content")
        self.delete(directory, old)

    def delete(self, directory: str, name: str) -> None:
        """Remove a file; nothing happens where it is gone."""
        path = path_of(directory, name)
        with self._session() as session, self._errors(path):
            try:
                session.wire.remove(path.encode())
            except StatusError as error:
                if error.code != sftp_wire.NO_SUCH_FILE:
                    raise

    def _session(self) -> AbstractContextManager[Session]:
        """A session; one on which an operation was refused in good order is used again."""
        return self._pool.lend(keep=(NotFound, NotPermitted, AlreadyExists))

    def _errors(self, path: str, wire: Wire | None = None) -> AbstractContextManager[None]:
        return sftp_errors(self.endpoint, path, wire)


@contextmanager
def _collected(found: "list[str]") -> Iterator[None]:
    try:
        yield
    except Misconfigured as error:
        found.append(error.text)


def _stat(wire: Wire, path: str) -> Attributes | None:
    try:
        return wire.stat(path.encode())
    except StatusError as error:
        if error.code == sftp_wire.NO_SUCH_FILE:
            return None
        raise


def _renamed(wire: Wire, old: bytes, new: bytes) -> bool:
    """Rename without replacing; False where the new name was taken meanwhile.

    A server that cannot do it that way (no hard links) but has OpenSSH's extension is asked for that one.
    """
    try:
        wire.rename(old, new)
    except StatusError as error:
        if error.code not in (sftp_wire.FAILURE, sftp_wire.UNSUPPORTED):
            raise
        if _stat(wire, new.decode()) is not None:
            return False
        if "posix-rename@openssh.com" not in wire.extensions:
            raise
        wire.posix_rename(old, new)
    return True


def _file_info(name: str, attributes: Attributes, trouble: str) -> FileInfo:
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
