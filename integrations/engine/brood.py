"""The children of a volley: one instance for each file, as if it had been called alone, written together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone

from integrations.engine import leases, outcome
from integrations.engine.clock import db_now
from integrations.engine.faults import Fault, LeaseLost, TechnicalFault
from integrations.engine.files import Delivery
from integrations.engine.intake import extract_keys, flow_row, running
from integrations.engine.leases import Claim, Released
from integrations.engine.registry import spec_for
from integrations.engine.rows import insert_rows
from integrations.engine.stream import Kind
from integrations.engine.tracing import keeps_payloads
from integrations.models import Attempt, Connection, FileTransfer, Flow, Instance

if TYPE_CHECKING:
    from integrations.engine.context import Run

NOT_STARTED = "not started"  # seen by no caller
State = FileTransfer.State


def may_be(run: "Run", flow: Flow) -> bool:
    """Whether nothing about this child flow has to be seen file by file: it is on, and no payload is traced."""
    declared = flow.identifier in run.spec.calls
    return declared and flow.active and not keeps_payloads(flow) and not keeps_payloads(run.instance.flow)


def row_of(identifier: str) -> Flow:
    """The child flow's row."""
    return flow_row(spec_for(identifier))


def unborn(run: "Run", flow: Flow, message: Any, name: str) -> "tuple[Run, Delivery]":
    """A child's run for a file of this name, not saved yet, and where it says that the file goes."""
    spec = spec_for(flow.identifier)
    instance = Instance(
        flow=flow,
        flow_version=spec.version,
        cause=Instance.Cause.PARENT,
        parent=run.instance,
        attachment_name=name[:255],
    )
    child = run.begin_child(instance, spec, Claim(instance.pk, 1, under=run.claim))
    delivery = spec.body(child, message)
    if not isinstance(delivery, Delivery):
        raise TechnicalFault(f"{spec.identifier} does not say where the file {name!r} goes")
    child.keys = extract_keys(instance, spec, message)
    return child, delivery


def save(children: "Sequence[Run]") -> None:
    """Write the children as running, with their first attempts and their business keys."""
    now = db_now()
    attempts = [running(child.instance, now) for child in children]
    insert_rows([child.instance for child in children])
    insert_rows(attempts)
    insert_rows([key for child in children for key in child.keys])


class _Lease:
    """The leases of all children, renewed together."""

    def __init__(self, children: "Sequence[Run]") -> None:
        self._ids = [child.instance.pk for child in children]

    def renew(self) -> bool:
        """Lengthen them; what becomes of the children is their parent's to know."""
        until = db_now() + timedelta(seconds=settings.HUB_LEASE_SECONDS)
        mine = Instance.objects.filter(pk__in=self._ids, fence=1, status=Instance.Status.RUNNING)
        return bool(mine.update(lease_until=until))


@contextmanager
def born(run: "Run", children: "Sequence[Run]") -> Iterator[None]:
    """Their leases are kept in this block; where the parent's own claim ends, theirs do."""
    with leases.keeper.keeping(_Lease(children)):
        try:
            yield
        except (LeaseLost, Released) as stop:
            _left(children, stop)
            raise


def _left(children: "Sequence[Run]", stop: LeaseLost | Released) -> None:
    said = (
        (Attempt.Outcome.RELEASED, "Given back at shutdown")
        if isinstance(stop, Released)
        else (Attempt.Outcome.FENCED, "Came after another worker took over.")
    )
    _end(children, Instance.Status.FAILED, *said)


def _end(children: "Sequence[Run]", status: str, outcome_is: str, detail: str) -> None:
    """Those that still run end, all the same way."""
    now = db_now()
    ids = [child.instance.pk for child in children]
    mine = Instance.objects.filter(pk__in=ids, fence=1, status=Instance.Status.RUNNING)
    with transaction.atomic():
        Attempt.objects.filter(instance__in=ids, number=1, outcome=Attempt.Outcome.RUNNING).update(
            outcome=outcome_is, ended_at=now, detail=detail
        )
        mine.update(status=status, lease_until=None, ended_at=now)


def succeeded(run: "Run", sent: "Sequence[tuple[Run, FileTransfer]]", target: Connection, many: int) -> None:
    """Each child came to its end; its own stream says so, its parent's for all of them."""
    if not sent:
        return
    beside = f" (beside {many - 1} more)" if many > 1 else ""
    took = (timezone.now() - sent[0][0].instance.created_at).total_seconds() * 1000
    for child, transfer in sent:
        child.stream.say(
            Kind.MOVED,
            f"{transfer.target_name} to {target.name}{beside}",
            connection=target,
            bytes_out=transfer.size,
            duration_ms=took,
        )
        child.stream.say(Kind.ENDED, "Succeeded")
        run.stream.adopt(child.stream)
    first, last = sent[0], sent[-1]
    run.stream.say(
        Kind.CHILD,
        f"Called {first[0].spec.name} for {len(sent)} files, {first[1].source_name} to {last[1].source_name}",
        operation=first[0].spec.identifier,
        bytes_out=sum(transfer.size or 0 for _, transfer in sent),
        duration_ms=took,
    )
    _end([child for child, _ in sent], Instance.Status.SUCCEEDED, Attempt.Outcome.SUCCEEDED, "Succeeded")


def failed(run: "Run", what: "Sequence[tuple[Run, FileTransfer, Fault]]") -> None:
    """Each child ends with its fault; where its file was never begun, it was skipped and the file is new again."""
    idle = [(child, transfer) for child, transfer, fault in what if fault.code == NOT_STARTED]
    if idle:
        FileTransfer.objects.filter(pk__in=[transfer.pk for _, transfer in idle]).update(
            state=State.NEW, tries=0, updated_at=timezone.now()
        )
        text = "Not started, because of the error before it"
        _end([child for child, _ in idle], Instance.Status.SKIPPED, Attempt.Outcome.FAILED, text)
    for child, transfer, fault in what:
        if fault.code != NOT_STARTED and _runs(child):
            outcome.failed(child, fault)
            run.stream.say(
                Kind.CHILD,
                f"Called {child.spec.name} for {transfer.source_name}: {fault.text} (instance {child.instance.pk})",
                operation=child.spec.identifier,
                level="error",
            )


def _runs(child: "Run") -> bool:
    """Whether it has not ended yet: a file can also fail after its child's part is done."""
    return child.claim.mine().exists()


def advanced(transfers: Sequence[FileTransfer], state: str) -> None:
    """All of these files got so far."""
    for transfer in transfers:
        transfer.state = state
    FileTransfer.objects.filter(pk__in=[transfer.pk for transfer in transfers]).update(
        state=state, updated_at=timezone.now()
    )


def renamed(transfers: Sequence[FileTransfer], prefix: str) -> None:
    """All of these files have their new name at the source."""
    for transfer in transfers:
        transfer.state = State.DONE
    FileTransfer.objects.filter(pk__in=[transfer.pk for transfer in transfers]).update(
        state=State.DONE,
        renamed_to=Concat(Value(prefix), F("source_name")),
        trouble="",
        updated_at=timezone.now(),
    )
