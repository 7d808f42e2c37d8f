"""A file to a target's operation as a binary body; the ledger tells how far it got (seed 002, Send Device Score).

A POST has no name that could be looked for afterwards: one whose end is not known is sent again, and that is said.
"""

import hashlib
from typing import TYPE_CHECKING

from integrations.adapters import open_adapter
from integrations.adapters.contract import Caller, Reader, Request, Response
from integrations.adapters.errors import AdapterError, Refused
from integrations.engine.breakers import breaker_check, breaker_failed, breaker_worked
from integrations.engine.connections import connection_endpoint
from integrations.engine.crash import crash
from integrations.engine.faults import BusinessFault, ConnectionUnusable, Fault, RemoteFault, fault_of
from integrations.engine.files import Feed
from integrations.engine.invoke import Call, answer_of
from integrations.engine.stream import Kind
from integrations.models import Activity, FileTransfer

if TYPE_CHECKING:
    from integrations.engine.context import Run

State = FileTransfer.State


def post_file(run: "Run", feed: Feed, call: Call) -> None:
    """Send the file's bytes to the call's operation; the ledger then has it as sent.

    Raises RemoteFault or BusinessFault, and HUB-SOURCE-CHANGED where the file was not as it was listed.
    """
    row = run.connection(call.connection)
    run.allows_retries(row.retries)
    breaker_check(row)
    transfer = feed.transfer
    if transfer.state == State.COPYING:
        run.note(f"It is not known whether {transfer.source_name} arrived; it is sent again", warning=True)
    transfer.target, transfer.target_name = row, transfer.source_name
    _keep(run, transfer, State.COPYING)
    crash("posting_begun")
    text = f"{transfer.source_name} by {call.operation} at {call.connection}"
    try:
        with run.stream.timed(Kind.CALLED, text, connection=row, operation=call.operation) as line:
            counted, response = _send(run, feed, call, line)
            line.status_code, line.bytes_out = response.status, counted.size
            _accept(call, response, text)
    except Fault as fault:
        if not fault.uncertain:  # a clear no: nothing of it is at the target
            _keep(run, transfer, State.NEW)
        raise
    crash("posted_not_recorded")
    transfer.size, transfer.sha256 = counted.size, counted.digest.hexdigest()
    _keep(run, transfer, State.SENT)
    breaker_worked(row)


class _Counted:
    """A Reader that counts and hashes what is read."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self.size, self.digest = reader, 0, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._reader.read(size)
        self.size += len(chunk)
        self.digest.update(chunk)
        return chunk


def _send(run: "Run", feed: Feed, call: Call, line: Activity) -> tuple[_Counted, Response]:
    row = run.connection(call.connection)
    key = f"{run.effect_key}:{feed.transfer.pk}"
    with feed.open() as reader, open_adapter(connection_endpoint(row)) as adapter:
        if not isinstance(adapter, Caller):
            raise ConnectionUnusable(
                f"Connection {row.name!r} is {row.adapter}: it has no operations to call"
            )
        counted = _Counted(reader)
        request = Request(
            call.operation,
            path_values=call.path_values,
            headers={"Idempotency-Key": key},
            stream=counted,
            content_type="application/octet-stream",
        )
        try:
            response = adapter.invoke(request)
        except AdapterError as error:
            line.status_code = error.status if isinstance(error, Refused) else None
            fault = fault_of(error, connection=row.name)
            breaker_failed(row, fault)
            raise fault from error
    _unchanged(feed, counted.size)
    return counted, response


def _unchanged(feed: Feed, size: int) -> None:
    listed = feed.transfer.source_size
    if (listed is not None and size != listed) or not feed.unchanged():
        raise RemoteFault(
            f"{feed.transfer.source_name} is not as it was listed ({listed} bytes, {size} read): it is still being "
            "written, and the target has what was read of it",
            code="HUB-SOURCE-CHANGED",
            hint="What is at the source is sent whole in the next run.",
        )


def _accept(call: Call, response: Response, text: str) -> None:
    if call.expect and response.status not in call.expect:
        wanted = " or ".join(map(str, call.expect))
        raise BusinessFault(
            f"{text} was answered {response.status}, where {wanted} means done",
            connection=call.connection,
            uncertain=True,
            target_status=response.status,
            target_body=response.body,
        )
    if call.check is not None:
        call.check(answer_of(response))


def _keep(run: "Run", transfer: FileTransfer, state: str) -> None:
    transfer.state, transfer.trouble = state, ""
    transfer.tries += state == State.COPYING
    with run.claim.writing():
        run.stream.flush()
        transfer.save()
