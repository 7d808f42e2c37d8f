"""SFTP: files on an SSH server."""

import stat as modes
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

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
    BadName,
    Misconfigured,
    NotFound,
    NotPermitted,
    NotStarted,
)
from integrations.adapters.names import decode_name, path_of, usable_directory
from integrations.adapters.places import directory_setting, place_directory, same_content
from integrations.adapters.pool import Pool
from integrations.adapters.several import Each, Item, Parcel, Result, Whole, not_started
from integrations.adapters.sftp_answers import NO_SUCH_FILE, Attributes, StatusError, handle_in
from integrations.adapters.sftp_login import DEFAULT_PORT, Session, log_in, port_of
from integrations.adapters.sftp_stream import ReadAhead, send_file, sftp_errors
from integrations.adapters.sftp_talk import file_info, reading, renaming, standing, writing
from integrations.adapters.sftp_volley import Talk, Volley
from integrations.adapters.sftp_wire import Wire
from integrations.adapters.ssh_keys import host_keys, private_key
from integrations.adapters.steps import Steps

_IN_ORDER = (NotFound, NotPermitted, AlreadyExists, NotStarted, BadName)  # the session is as good as before


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
        Field(
            "flush",
            "Flush to disk",
            choices=("no", "yes"),
            default="no",
            help="yes: the server is asked to have each file on its disk before it is renamed. OpenSSH can; slower.",
        ),
    )
    at_once = 64

    def __init__(self, endpoint: Endpoint) -> None:
        """Nothing is connected yet; raises Misconfigured where settings cannot work."""
        super().__init__(endpoint)
        self._flush = endpoint.settings.get("flush") == "yes"
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
        return file_info(name, attributes, trouble)

    def stat(self, directory: str, name: str) -> FileInfo | None:
        """The file, or None."""
        path = path_of(directory, name)
        with self._session() as session, self._errors(path):
            attributes = _stat(session.wire, path)
        return None if attributes is None else file_info(name, attributes)

    @contextmanager
    def open(self, directory: str, name: str) -> Iterator[Reader]:
        """The file's bytes, streamed, with up to 4 MiB asked for ahead."""
        path = path_of(directory, name)
        with self._session() as session:
            with self._errors(path):
                handle = handle_in(session.wire.answer(session.wire.ask_open_read(path.encode())))
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
                handle = handle_in(session.wire.answer(session.wire.ask_open_write(path.encode())))
            return send_file(self.endpoint, session.wire, handle, path, source, flush=self._flush)

    def rename(self, directory: str, old: str, new: str) -> None:
        """By the protocol's rename, which never replaces; a leftover with the same content counts as done."""
        try:
            with self._session() as session:
                talk = renaming(self.endpoint, session.wire, directory, old, new)
                for failure in filter(None, Volley(session.wire, [talk], 1).run()):
                    raise failure
        except AlreadyExists as error:
            if not same_content(self, directory, old, new):
                raise AlreadyExists(f"{error.text}, with other content") from error
            self.delete(directory, old)

    def delete(self, directory: str, name: str) -> None:
        """Remove a file; nothing happens where it is gone."""
        path = path_of(directory, name)
        with self._session() as session, self._errors(path):
            try:
                session.wire.remove(path.encode())
            except StatusError as error:
                if error.code != NO_SUCH_FILE:
                    raise

    # -- several at once ---------------------------------------------------------------------------------

    def read_many(self, directory: str, names: Sequence[str], *, at_once: int) -> Each[Whole]:
        """Each file whole, with its size and time after it was read; all are in memory together."""
        return self._several(names, at_once, lambda wire, name: reading(self.endpoint, wire, directory, name))

    def write_many(self, directory: str, files: Sequence[Parcel], *, at_once: int) -> Each[Written]:
        """Each file written and compared as by `write`."""
        return self._several(
            files,
            at_once,
            lambda wire, file: writing(self.endpoint, wire, directory, file, flush=self._flush),
        )

    def taken(self, directory: str, names: Sequence[str], *, at_once: int) -> set[str]:
        """Which of these names are there."""
        found = self._several(
            names, at_once, lambda wire, name: standing(self.endpoint, wire, directory, name)
        )
        for failure in found:
            if isinstance(failure, AdapterError):
                raise failure
        return {name for name, there in zip(names, found, strict=True) if there}

    def rename_many(self, directory: str, names: Sequence[tuple[str, str]], *, at_once: int) -> Each[None]:
        """Each (old, new) as by `rename`, but AlreadyExists for any `new` that is there."""
        return self._several(
            names, at_once, lambda wire, pair: renaming(self.endpoint, wire, directory, *pair)
        )

    def _several(
        self, items: Sequence[Item], at_once: int, talk: Callable[[Wire, Item], Talk[Result]]
    ) -> Each[Result]:
        """One session for all. It is not lent again after anything that was no answer in good order."""
        if not items:
            return []
        try:
            with self._session() as session:
                found = Volley(session.wire, [talk(session.wire, item) for item in items], at_once).run()
                if any(isinstance(one, AdapterError) and not isinstance(one, _IN_ORDER) for one in found):
                    session.close()
                return found
        except AdapterError as error:  # nobody could log in
            return [error, *(not_started() for _ in items[1:])]

    def _session(self) -> AbstractContextManager[Session]:
        """A session; one on which an operation was refused in good order is used again."""
        return self._pool.lend(keep=_IN_ORDER)

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
        if error.code == NO_SUCH_FILE:
            return None
        raise
