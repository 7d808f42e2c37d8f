"""How an attempt ends: each way one transaction, applied only while the instance is still this holder's."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from django.db import transaction
from django.db.models import F

from integrations.engine import children
from integrations.engine.clock import db_now
from integrations.engine.crash import crash
from integrations.engine.families import open_error
from integrations.engine.faults import Fault, LeaseLost, RemoteFault, fault_of
from integrations.engine.leases import Claim
from integrations.engine.retry import Retry, retry_for
from integrations.engine.rows import change_rows
from integrations.engine.steps import Held
from integrations.engine.stream import Kind, Level
from integrations.models import Attempt, ErrorInstance, Instance, Payload
from integrations.storage import payload_keep

if TYPE_CHECKING:
    from integrations.engine.context import Run

log = structlog.get_logger(__name__)
Status = Instance.Status
Outcome = Attempt.Outcome
Kept = (
    Payload | Callable[[], Payload] | None
)  # an answer's row, or what writes it in the caller's transaction


def succeeded(run: "Run", kept: Kept, *, status: str = Status.SUCCEEDED, text: str = "Succeeded") -> None:
    """The body came to its end with this stored answer; an open error of this instance is recovered."""
    crash("before_success_recorded")
    with transaction.atomic():
        answer = kept() if callable(kept) else kept
        now = _apply(run, Outcome.SUCCEEDED, text, status=status, answer=answer, ended=True)
        run.stream.say(Kind.ENDED, text)
        run.stream.flush()
        if run.claim.fence > 1 or run.instance.replay_of_id:  # a first attempt follows no error
            _recover(run.instance.replay_of_id or run.instance.pk, now)
    crash("after_success_recorded")


def _recover(original: uuid.UUID, now: datetime) -> None:
    ErrorInstance.objects.filter(
        instance=original, state__in=[ErrorInstance.State.OPEN, ErrorInstance.State.RESUBMITTED]
    ).update(state=ErrorInstance.State.RECOVERED, settled_at=now)


def kept_answer(run: "Run", answer: Any) -> Kept:
    """The answer, its bytes stored, its row to be written with the success: whoever sent the message may send it again.

    A child called in this process has nobody who could, so its answer is kept where its tracing level keeps payloads.
    """
    if answer is None or run.instance.cause == Instance.Cause.PARENT:
        return run.stream.kept(answer)
    return payload_keep(orjson.dumps(answer), content_type="application/json")


def skipped(run: "Run", reason: str, kept: Kept) -> None:
    """The flow's own rule said there was nothing to do."""
    succeeded(run, kept, status=Status.SKIPPED, text=f"Skipped: {reason}")


def failed(run: "Run", fault: Fault) -> None:
    """To be tried again by itself, held for a person, or an error; mails go out only for what is final."""
    retry = retry_for(fault, made=run.instance.retries, allowed=run.allowed_retries, waits=run.spec.waits)
    if retry is not None:
        _wait(run, fault, retry)
    else:
        _give_up(run, fault)


def _wait(run: "Run", fault: Fault, retry: Retry) -> None:
    with transaction.atomic():
        text = f"{fault.text}; tried again in {retry.wait.total_seconds():.1f} s"
        due = db_now() + retry.wait
        _apply(
            run,
            Outcome.RETRY,
            text,
            status=Status.WAITING,
            due_at=due,
            retries=F("retries") + (1 if retry.counted else 0),
            **_fault_fields(fault),
        )
        run.stream.say(Kind.FAULT, text, level=Level.WARNING)
        run.stream.flush()


def _give_up(run: "Run", fault: Fault) -> None:
    """An error for a person. A child's error is its parent's; only the outermost instance shows one."""
    status = Status.HELD if isinstance(fault, Held) else Status.FAILED
    with transaction.atomic():
        now = _apply(run, Outcome.FAILED, fault.text, status=status, ended=True, **_fault_fields(fault))
        run.stream.say(Kind.FAULT, _told(fault), level=Level.ERROR)
        run.stream.flush()
        if run.instance.parent_id is None:
            open_error(run.instance.replay_of or run.instance, fault, now)
            _tell_error_handler(run, fault)
            run.stream.flush()


def _told(fault: Fault) -> str:
    return f"{fault.text} ({fault.hint})" if fault.hint else fault.text


def _tell_error_handler(run: "Run", fault: Fault) -> None:
    """Call the package's error handler; what goes wrong there is said, and does not hide the first fault."""
    message = {
        "flow": run.spec.identifier,
        "name": run.spec.name,
        "instanceId": str(run.instance.pk),
        "faultClass": fault.fault_class,
        "code": fault.code,
        "text": fault.text,
        "hint": fault.hint,
        "step": fault.step,
        "attempt": run.claim.fence,
    }
    try:
        with transaction.atomic():
            children.call_child(run, run.spec.package.error_handler, message)
    except Exception as error:  # noqa: BLE001  (anything: the fault it was called for must be kept)
        told = fault_of(error)
        run.stream.say(
            Kind.FAULT, f"The error handler could not tell anybody: {told.text}", level=Level.ERROR
        )
        log.warning("error_handler_failed", instance=str(run.instance.pk), fault=told.text)


def without_code(instance: Instance, claim: Claim, fault: Fault) -> None:
    """An instance whose flow the installed code has no more: an error for a person, not a claim without end."""
    with transaction.atomic():
        now = db_now()
        mine = claim.mine().update(
            status=Status.FAILED, lease_until=None, ended_at=now, **_fault_fields(fault)
        )
        if mine:
            Attempt.objects.filter(instance=instance, number=claim.fence).update(
                outcome=Outcome.FAILED, ended_at=now, detail=fault.text
            )
            open_error(instance, fault, now)


def _fault_fields(fault: Fault) -> dict[str, Any]:
    return {
        "fault_class": fault.fault_class,
        "fault_code": fault.code,
        "fault_text": fault.text,
        "fault_step": fault.step,
    }


_GIVEN_BACK = RemoteFault(
    "The hub was stopped while its caller was waiting",
    code="HUB-WORKER-DIED",
    hint="The caller's same message, sent again, goes on from here; or replay it.",
)


def released(run: "Run") -> None:
    """The process is asked to stop: the instance is ready again at once, its crash count untouched.

    A child ends: its parent goes on elsewhere and calls it anew. So does what a caller waits for; a replay has none.
    """
    with transaction.atomic():
        waited_for = run.spec.waits and run.instance.cause != Instance.Cause.REPLAY
        ends = run.instance.parent_id is not None or waited_for
        status = Status.FAILED if ends else Status.READY
        _apply(
            run,
            Outcome.RELEASED,
            "Given back at shutdown",
            ended=ends,
            status=status,
            due_at=db_now(),
            woken_at=None,
        )
        run.stream.say(
            Kind.NOTED, "Given back at shutdown; it goes on from its checkpoint", level=Level.WARNING
        )
        if waited_for and run.instance.parent_id is None:
            open_error(run.instance, _GIVEN_BACK, db_now())
        run.stream.flush()


def fenced(run: "Run") -> None:
    """Another holder has the instance: this attempt's result is recorded as late, not applied."""
    Attempt.objects.filter(instance=run.instance, number=run.claim.fence).update(
        outcome=Outcome.FENCED, ended_at=db_now(), detail="Came after another worker took over."
    )
    log.warning("attempt_fenced", instance=str(run.instance.pk), attempt=run.claim.fence)


def _apply(run: "Run", outcome: str, detail: str, *, ended: bool = False, **fields: Any) -> datetime:
    """Write the instance's new state if it is still ours, and the attempt's outcome; LeaseLost otherwise."""
    now = db_now()
    fields.setdefault("lease_until", None)
    if ended:
        fields["ended_at"] = now
    if not run.claim.write(**fields):
        raise LeaseLost(f"instance {run.instance.pk} has another holder")
    this = {"instance": run.instance.pk, "number": run.claim.fence}
    change_rows(Attempt, this, outcome=outcome, ended_at=now, detail=detail)
    return now
