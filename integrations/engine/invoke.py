"""Calling a target: breaker, step, request, activity line, fault."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from integrations.adapters.contract import Request, Response
from integrations.adapters.errors import AdapterError, Refused
from integrations.engine.breakers import breaker_check, breaker_failed, breaker_worked
from integrations.engine.connections import call_target, connection_endpoint
from integrations.engine.crash import crash
from integrations.engine.faults import BusinessFault, Fault, fault_of
from integrations.engine.steps import take_step
from integrations.engine.stream import Kind
from integrations.models import Activity, Connection

if TYPE_CHECKING:
    from integrations.engine.context import Run


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation, before it is made."""

    connection: str
    operation: str
    body: Any
    path_values: Mapping[str, str]
    expect: tuple[int, ...]
    duplicate: tuple[int, ...]
    check: "Callable[[Answer], None] | None" = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a target said: its status, and its body as JSON (None where it is empty or no JSON)."""

    status: int
    data: Any


def invoke(run: "Run", call: Call, *, key: str, verify: Callable[[], Answer | None] | None = None) -> Answer:
    """Make the call as a step; the recorded answer where it was made before."""

    def effect(repeat: bool) -> dict[str, Any]:
        return _call_target(run, call, key, repeat=repeat)

    def found() -> dict[str, Any] | None:
        earlier = verify() if verify is not None else None
        return None if earlier is None else {"status": earlier.status, "data": earlier.data}

    answer = take_step(run, key, effect, found if verify is not None else None)
    return Answer(answer["status"], answer["data"])


def _call_target(run: "Run", call: Call, key: str, *, repeat: bool) -> dict[str, Any]:
    row = run.connection(call.connection)
    run.allows_retries(row.retries)
    had_faults = breaker_check(row)
    body = None if call.body is None else orjson.dumps(call.body)
    headers = {"Idempotency-Key": f"{run.effect_key}:{key}"}
    request = Request(call.operation, path_values=call.path_values, headers=headers, body=body)
    line_text = f"{call.operation} at {call.connection}"
    with run.stream.timed(Kind.CALLED, line_text, connection=row, operation=call.operation) as line:
        line.bytes_out = len(body or b"")
        line.payload_out = run.stream.kept(call.body)
        try:
            response = _send(row, request)
        except AdapterError as error:
            return _no(run, row, error, line, accept=call.duplicate if repeat else ())
        if had_faults:  # those of other calls meanwhile are the next call's to end
            breaker_worked(row)
        return _yes(run, call, response, line)


def _send(row: Connection, request: Request) -> Response:
    response = call_target(connection_endpoint(row), request)
    crash("request_sent_reply_unsaved")
    return response


def _yes(run: "Run", call: Call, response: Response, line: Activity) -> dict[str, Any]:
    """A 2xx: success, unless the flow's specification names the statuses that are."""
    line.status_code = response.status
    line.bytes_in = len(response.body)
    line.payload_in = run.stream.kept(response.body or None)
    if call.expect and response.status not in call.expect:
        wanted = " or ".join(map(str, call.expect))
        raise BusinessFault(
            f"{call.operation} at {call.connection} answered {response.status}, where {wanted} means done",
            connection=call.connection,
            uncertain=True,  # the target took something
            target_status=response.status,
            target_body=response.body,
        )
    answer = answer_of(response)
    if call.check is not None:  # within the step: an answer that says no must not count as done
        call.check(answer)
    return {"status": answer.status, "data": answer.data}


def _no(
    run: "Run", row: Connection, error: AdapterError, line: Activity, *, accept: tuple[int, ...]
) -> dict[str, Any]:
    """A refusal or no answer: the fault; or, on a repeat, a refusal that proves the first call arrived."""
    if isinstance(error, Refused):
        line.status_code = error.status
        line.bytes_in = len(error.body)
        line.payload_in = run.stream.kept(error.body or None)
        if error.status in accept:
            run.note(
                f"{row.name} answered {error.status} to the repeat: the first call had arrived", warning=True
            )
            return {"status": error.status, "data": _json(error.body)}
    fault: Fault = fault_of(error, connection=row.name)
    breaker_failed(row, fault)
    raise fault from error


def answer_of(response: Response) -> Answer:
    """What the target said, as flows see it."""
    return Answer(response.status, _json(response.body))


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return None
