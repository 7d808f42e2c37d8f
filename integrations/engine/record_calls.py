"""Calls of a file's records, one each: the checkpoint is the ledger's (records.py), no step or line for each."""

from typing import TYPE_CHECKING

import orjson

from integrations.adapters import open_adapter
from integrations.adapters.contract import Caller, Request
from integrations.adapters.errors import AdapterError, Refused
from integrations.engine.breakers import breaker_check, breaker_failed, breaker_worked
from integrations.engine.connections import connection_endpoint
from integrations.engine.crash import crash
from integrations.engine.faults import ConnectionUnusable, fault_of
from integrations.engine.invoke import Call
from integrations.engine.stream import Kind, Level

if TYPE_CHECKING:
    from integrations.engine.context import Run

TELL_EVERY = 1000


class RecordCaller:
    """Calls one connection for record after record. `passed_over`: how many the target had already."""

    def __init__(self, run: "Run", connection: str, operation: str, *, duplicate: tuple[int, ...]) -> None:
        """`duplicate`: refusals that say the target has this record: passed over and counted."""
        self._run = run
        self._row = run.connection(connection)
        self._call = Call(connection, operation, None, {}, (), duplicate)
        self._adapter = open_adapter(connection_endpoint(self._row))
        self._sent = 0

    def ready(self) -> None:
        """Raise a passing fault while the connection's breaker is open: for who has something to send."""
        breaker_check(self._row)

    def send(self, body: object, *, path_values: dict[str, str], key: str, what: str) -> bool:
        """Send one; whether it was passed over. RemoteFault or BusinessFault where it was not taken.

        `key`: its Idempotency-Key, another for the same record in another file; `what`: it, in words.
        """
        if not isinstance(self._adapter, Caller):
            raise ConnectionUnusable(f"Connection {self._row.name!r} has no operations to call")
        headers = {"Idempotency-Key": key}
        content = orjson.dumps(body)
        request = Request(self._call.operation, path_values=path_values, headers=headers, body=content)
        try:
            self._adapter.invoke(request)
        except Refused as error:
            if error.status in self._call.duplicate:
                self._run.stream.say(
                    Kind.NOTED, f"{what}: passed over, {self._row.name} answered {error.status}"
                )
                return True
            raise self._failed(error, what) from error
        except AdapterError as error:
            raise self._failed(error, what) from error
        crash("record_taken")
        self._count()
        return False

    def _count(self) -> None:
        self._sent += 1
        if self._sent == 1:
            breaker_worked(self._row)
        if self._sent % TELL_EVERY == 0:
            self._run.stream.say(
                Kind.CALLED, f"{self._sent} records by {self._call.operation}", connection=self._row
            )

    def _failed(self, error: AdapterError, what: str) -> Exception:
        fault = fault_of(error, connection=self._row.name)
        breaker_failed(self._row, fault)
        self._run.stream.say(
            Kind.CALLED,
            f"{what} by {self._call.operation} at {self._row.name}: {fault.text}",
            level=Level.ERROR,
            connection=self._row,
            operation=self._call.operation,
            status_code=error.status if isinstance(error, Refused) else None,
        )
        return fault
