"""Faults: why a flow could not go on, one small tree, each a sentence (design.md section 1).

Whatever an adapter, a lookup or a mapping raises becomes one of these here, with the code and HTTP status a
caller sees (docs/faults.md lists the codes).
"""

from typing import Any

from integrations.adapters.errors import (
    AdapterError,
    AddressRefused,
    BadAnswer,
    BadMessage,
    CertificateRefused,
    HostKeyRefused,
    Misconfigured,
    Refused,
    TimedOut,
)
from integrations.mapping.errors import MappingError
from integrations.storage.errors import StorageError, StoreUnavailable
from lookups.errors import LookupFault


class Fault(Exception):
    """A failure the hub can explain. `passing`: trying again may help; `uncertain`: the effect may have happened."""

    fault_class = "technical"
    code = "HUB-TECHNICAL"
    status = 500
    title = "The hub could not do it"

    def __init__(
        self,
        text: str,
        *,
        code: str = "",
        status: int = 0,
        hint: str = "",
        detail: str = "",
        details: list[dict[str, Any]] | None = None,
        passing: bool = False,
        uncertain: bool = False,
        retry_after: float | None = None,
        connection: str = "",
        target_status: int | None = None,
        target_body: bytes = b"",
        instance_id: str = "",
        answer: Any = None,
    ) -> None:
        """`text` is for people; `details` are the entries of o:errorDetails; `retry_after` is in seconds;
        `answer`: what a caller that waits gets instead of the fault, where its specification has an answer of its
        own for a failure (a negative MsgAck)."""
        super().__init__(text)
        self.text = text
        self.code = code or self.code
        self.status = status or self.status
        self.hint = hint
        self.detail = detail
        self.details = details or []
        self.passing = passing
        self.uncertain = uncertain
        self.retry_after = retry_after
        self.connection = connection
        self.target_status = target_status
        self.target_body = target_body
        self.instance_id = instance_id
        self.answer = answer
        self.missing: LookupFault | None = None  # the value that a lookup did not have
        self.step = ""


class TechnicalFault(Fault):
    """Data or mapping: the hub's side, or what it was given."""


class InvalidMessage(TechnicalFault):
    """The message is not what the flow takes; `details` name each place."""

    code = "HUB-INVALID"
    status = 400
    title = "The message is not valid"


class LookupMissing(TechnicalFault):
    """A lookup has no such value or property."""

    code = "HUB-LOOKUP"
    status = 422
    title = "A lookup does not have the value"


class MappingFailed(TechnicalFault):
    """A mapping could not be evaluated."""

    code = "HUB-MAPPING"
    status = 422
    title = "The message could not be mapped"


class ConnectionUnusable(TechnicalFault):
    """A connection's own settings keep it from working: a person has to mend them."""

    code = "HUB-CONNECTION"
    status = 502
    title = "A connection is not set up"


class RemoteFault(Fault):
    """The other system: down, refused, timed out."""

    fault_class = "remote"
    code = "HUB-TARGET-DOWN"
    status = 502
    title = "The target did not answer"


class AnswerUnusable(RemoteFault):
    """The other system answered with success, but not with what it has promised to answer."""

    code = "HUB-TARGET-ANSWER"
    title = "The target's answer cannot be used"


class BusinessFault(Fault):
    """The other system understood and said no."""

    fault_class = "business"
    code = "HUB-TARGET-REFUSED"
    status = 502
    title = "The target refused"


class Busy(Fault):
    """Something else has to end first."""

    fault_class = "remote"
    code = "HUB-BUSY"
    status = 503
    title = "Busy"


class StoreFault(Fault):
    """The payload store: full, unreachable, or a payload that is gone or damaged."""

    fault_class = "technical"
    code = "HUB-STORE"
    status = 503
    title = "The payload store failed"


class Inactive(TechnicalFault):
    """The flow is switched off."""

    code = "HUB-INACTIVE"
    status = 503
    title = "The flow is not active"


class UnknownFlow(TechnicalFault):
    """No flow has this identifier, or not at this resource or version."""

    code = "HUB-UNKNOWN-FLOW"
    status = 404
    title = "There is no such flow"


class Conflict(TechnicalFault):
    """The same message id came with other content, or a state does not allow it."""

    code = "HUB-CONFLICT"
    status = 409
    title = "Conflict"


class LeaseLost(BaseException):
    """Another worker holds the instance now: stop, write nothing more. Not an Exception, so that no flow's
    own error handling swallows it."""


_OWN_SETTINGS = (Misconfigured, HostKeyRefused, CertificateRefused, AddressRefused)
CLIENT_ERROR, SERVER_ERROR = 400, 500
GATEWAY_LOST_IT = (502, 504)  # whether the target behind the gateway did it is not known


def fault_of(error: Exception, *, connection: str = "") -> Fault:
    """Any exception as a Fault; one nobody foresaw keeps its type's name, so that it can be found."""
    match error:
        case Fault():
            found = error
        case LookupFault():
            found = LookupMissing(str(error), hint=error.hint)
            found.missing = error if error.target else None
        case MappingError():
            found = MappingFailed(str(error), detail=error.place)
        case StorageError():
            found = StoreFault(str(error), hint=error.hint, passing=isinstance(error, StoreUnavailable))
        case Refused():
            found = _refused(error, connection)
        case BadAnswer():
            found = _bad_answer(error, connection)
        case BadMessage():
            found = MappingFailed(_named(error, connection), hint=error.hint, connection=connection)
        case AdapterError():
            found = _adapter_fault(error, connection)
        case _:
            found = _unforeseen(error)
    return found


def _unforeseen(error: Exception) -> Fault:
    name = type(error).__name__
    return TechnicalFault(
        f"{name}: {error}" if str(error) else name,
        code="HUB-BUG",
        hint="This was not foreseen; the log has the traceback.",
    )


def _refused(error: Refused, connection: str) -> Fault:
    """A target's non-success answer: its 5xx, 401 and 429 are remote faults, other 4xx are its business no."""
    kind = BusinessFault if CLIENT_ERROR <= error.status < SERVER_ERROR else RemoteFault
    if error.status in (401, 403, 408, 425, 429):
        kind = RemoteFault
    return kind(
        _named(error, connection),
        code="HUB-TARGET-REFUSED",
        hint=error.hint,
        passing=error.passing,
        uncertain=error.status in GATEWAY_LOST_IT,
        retry_after=error.retry_after,
        connection=connection,
        target_status=error.status,
        target_body=error.body,
    )


def _bad_answer(error: BadAnswer, connection: str) -> Fault:
    """It said success, so it may have done what it was asked; asking again may do it twice."""
    return AnswerUnusable(
        _named(error, connection),
        hint=error.hint,
        uncertain=error.sent,
        connection=connection,
        target_status=error.status or None,
        target_body=error.body,
    )


def _adapter_fault(error: AdapterError, connection: str) -> Fault:
    if isinstance(error, _OWN_SETTINGS):
        return ConnectionUnusable(
            _named(error, connection), hint=error.hint, detail=error.detail, connection=connection
        )
    return RemoteFault(
        _named(error, connection),
        code="HUB-TARGET-DOWN" if error.passing else "HUB-TARGET-REFUSED",  # which answered, and said no
        status=504 if isinstance(error, TimedOut) else 502,
        hint=error.hint,
        detail=error.detail,
        passing=error.passing,
        uncertain=error.sent,
        connection=connection,
    )


def _named(error: AdapterError, connection: str) -> str:
    """What happened, and at which connection: an address alone tells an operator little."""
    return f"{connection}: {error.text}" if connection else error.text
