"""FTP and FTPS: for partners that have nothing better; FTPS wherever they can."""

import ftplib
import hashlib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress

from integrations.adapters.at_once import each_at_once
from integrations.adapters.contract import (
    CHUNK,
    Endpoint,
    Field,
    FileInfo,
    FileStore,
    Reader,
    TestStep,
    Written,
    missing_fields,
)
from integrations.adapters.errors import AdapterError, AlreadyExists, NotFound, NotPermitted, Unwhole
from integrations.adapters.ftp_client import (
    DEFAULT_PORT,
    EXPLICIT,
    IMPLICIT,
    PLAIN,
    Client,
    ftp_errors,
    ftp_port,
    log_in,
    where_of,
)
from integrations.adapters.ftp_listing import from_list, from_mlsd
from integrations.adapters.names import path_of, shown_name, usable_directory
from integrations.adapters.places import directory_setting, place_directory, same_content
from integrations.adapters.pool import MOST_IDLE, Pool
from integrations.adapters.several import Each, Item, Parcel, Result, Whole, read_each, write_each
from integrations.adapters.steps import Steps
from integrations.adapters.tls import client_context


class Ftp(FileStore):
    """Files on an FTP server, with TLS on both channels where the connection says so."""

    name = "ftp"
    label = "FTP / FTPS"
    fields = (
        Field("host", "Host", required=True),
        Field("port", "Port", kind=int, help=f"Empty: {DEFAULT_PORT}, or 990 for implicit TLS."),
        Field("tls", "TLS", choices=(EXPLICIT, IMPLICIT, PLAIN), default=EXPLICIT),
        Field("user", "User", required=True),
        Field("password", "Password", secret=True, required=True),
        directory_setting(),
    )

    def __init__(self, endpoint: Endpoint) -> None:
        """Nothing is connected yet; raises Misconfigured where settings cannot work."""
        super().__init__(endpoint)
        self.where = where_of(endpoint)
        self._pool: Pool[Client] = Pool(
            lambda: log_in(endpoint), alive=Client.alive, close=lambda client: client.let_go()
        )

    @classmethod
    def problems(cls, endpoint: Endpoint) -> list[str]:
        """What is wrong with these settings, a sentence each."""
        found = missing_fields(cls.fields, endpoint)
        for check in (ftp_port, client_context):
            try:
                check(endpoint)
            except AdapterError as error:
                found.append(error.text)
        return found

    def close(self) -> None:
        """Let go of sockets; harmless twice."""
        self._pool.close()

    def test(self) -> list[TestStep]:
        """Resolve, connect, TLS, log in, list the directory."""
        steps = Steps()
        with steps.until_failure():
            client = log_in(self.endpoint, steps)
            try:
                directory = usable_directory(str(self.endpoint.settings.get("directory") or ""))
                with steps.step("List directory") as said:
                    said.append(f"{len(entries(self.endpoint, client, directory))} names")
            finally:
                client.let_go()
        return steps.done

    def directory_for(self, place: Mapping[str, str]) -> str:
        """The directory a transfer message names."""
        return place_directory(place)

    # -- the contract ------------------------------------------------------------------------------------

    def list(self, directory: str, prefix: str = "") -> Iterator[FileInfo]:
        """Files and directories whose names begin with `prefix`, in name order."""
        base = usable_directory(directory)
        with self._client() as client:
            found = entries(self.endpoint, client, base)
        yield from sorted(
            (info for info in found if info.name.startswith(prefix)), key=lambda info: info.name
        )

    def stat(self, directory: str, name: str) -> FileInfo | None:
        """The file, or None."""
        path = path_of(directory, name)
        with self._client() as client, ftp_errors(self.endpoint, path):
            return _stat(client, path, name)

    @contextmanager
    def open(self, directory: str, name: str) -> Iterator[Reader]:
        """The file's bytes, streamed."""
        path = path_of(directory, name)
        with self._pool.lend(keep=(NotFound, NotPermitted)) as client:
            with ftp_errors(self.endpoint, path):
                conn = client.transfercmd(f"RETR {path}")
            reader = _Data(self.endpoint, client, conn, path)
            try:
                yield reader
            finally:
                conn.close()
            if not reader.ended:  # the server is still sending: this session is of no more use
                client.let_go()

    def write(
        self, directory: str, name: str, source: Reader, *, size: int | None = None, mark: str = ""
    ) -> Written:
        """Write and compare the size; FTP keeps no metadata, so `mark` is only in the caller's part name."""
        path = path_of(directory, name)
        with self._pool.lend() as client:
            with ftp_errors(self.endpoint, path):
                conn = client.transfercmd(f"STOR {path}")
            with conn:
                written = self._send(conn, path, source)
                with ftp_errors(self.endpoint, path):
                    _say_end(conn)
            with ftp_errors(self.endpoint, path):
                client.voidresp()
                found = _stat(client, path, name)
        if found is None or found.size != written.size:
            there = found and found.size
            raise Unwhole(f"{path} at {self.where} has {there} bytes, {written.size} were sent")
        return written

    def _send(self, conn: socket.socket, path: str, source: Reader) -> Written:
        digest, size = hashlib.sha256(), 0
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            with ftp_errors(self.endpoint, path):
                conn.sendall(chunk)
        return Written(size, digest.hexdigest())

    def rename(self, directory: str, old: str, new: str) -> None:
        """RNFR and RNTO, never onto something else; a leftover with the same content counts as done.

        FTP has no rename that refuses a taken name, so one that appears in between is replaced.
        """
        source, target = path_of(directory, old), path_of(directory, new)
        with self._client() as client, ftp_errors(self.endpoint, f"{source} to {shown_name(new)}"):
            if _stat(client, source, old) is None:
                raise NotFound(f"{source} is not at {self.where}")
            if source == target:
                return
            if _stat(client, target, new) is None:
                client.rename(source, target)
                return
        if not same_content(self, directory, old, new):
            raise AlreadyExists(f"{target} exists at {self.where} already, with other content")
        self.delete(directory, old)

    def delete(self, directory: str, name: str) -> None:
        """Remove a file; nothing happens where it is gone."""
        path = path_of(directory, name)
        with self._client() as client:
            try:
                with ftp_errors(self.endpoint, path):
                    client.delete(path)
            except NotFound:
                return

    # -- several at once: a session each, in as many as the pool keeps (servers allow few) ------------------

    def read_many(self, directory: str, names: Sequence[str], *, at_once: int) -> Each[Whole]:
        """Each file whole."""
        return self._several(names, lambda one: read_each(self, directory, [one]), at_once)

    def write_many(self, directory: str, files: Sequence[Parcel], *, at_once: int) -> Each[Written]:
        """Each file written."""
        return self._several(files, lambda one: write_each(self, directory, [one]), at_once)

    def rename_many(self, directory: str, names: Sequence[tuple[str, str]], *, at_once: int) -> Each[None]:
        """Each (old, new) as by `rename`."""
        return each_at_once(names, lambda pair: self.rename(directory, *pair), min(at_once, MOST_IDLE))

    @staticmethod
    def _several(items: Sequence[Item], do: Callable[[Item], Each[Result]], at_once: int) -> Each[Result]:
        def one(item: Item) -> Result:
            (found,) = do(item)
            if isinstance(found, AdapterError):
                raise found
            return found

        return each_at_once(items, one, min(at_once, MOST_IDLE))

    def _client(self) -> AbstractContextManager[Client]:
        return self._pool.lend(keep=(NotFound, NotPermitted, AlreadyExists))


def entries(endpoint: Endpoint, client: Client, directory: str) -> list[FileInfo]:
    """All names in a directory. It is entered first: as an argument, a name with a dash would be read as options."""
    with ftp_errors(endpoint, directory or "the log-in's directory"):
        home = client.pwd()
        try:
            if directory:
                client.cwd(directory)
            if client.facts:
                return [*from_mlsd(client.listing("MLSD"))]
            return [*from_list(client.listing("LIST"))]
        finally:
            with suppress(ftplib.Error, OSError, EOFError):
                client.cwd(home)


class _Data:
    """A file's bytes on the data channel; the server's last word is read at their end."""

    def __init__(self, endpoint: Endpoint, client: Client, conn: socket.socket, path: str) -> None:
        self._endpoint, self._client, self._conn, self._path = endpoint, client, conn, path
        self.ended = False

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; b"" at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        if self.ended or not size:
            return b""
        with ftp_errors(self._endpoint, self._path):
            content = self._conn.recv(size)
            if not content:
                self.ended = True
                _say_end(self._conn)
                self._client.voidresp()
        return content


def _say_end(conn: socket.socket) -> None:
    """Close TLS in good order: a server that waits for it would take the file as cut."""
    unwrap = getattr(conn, "unwrap", None)
    if unwrap is not None:
        with suppress(OSError):  # many servers close first
            unwrap()
    conn.close()


def _stat(client: Client, path: str, name: str) -> FileInfo | None:
    """By MLST where the server has it, else by SIZE and MDTM; None where there is nothing."""
    try:
        if client.facts:
            lines = client.sendcmd(f"MLST {path}").splitlines()
            facts = next((line.strip() for line in lines if line.startswith(" ")), "")
            for info in from_mlsd(f"{facts.partition(' ')[0]} {name}".encode()):
                return info
            return FileInfo(name, 0, "", is_directory=True)
        size = client.size(path)
        return FileInfo(name, size or 0, client.sendcmd(f"MDTM {path}").partition(" ")[2])
    except ftplib.error_perm as error:
        if str(error).startswith("550"):
            return None
        raise
