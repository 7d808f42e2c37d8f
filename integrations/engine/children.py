"""Calling another flow: a child instance of its own, run in this process."""

from typing import TYPE_CHECKING, Any, Protocol

from django.db import transaction

from integrations.engine.clock import db_now
from integrations.engine.faults import Inactive, TechnicalFault
from integrations.engine.intake import begin_running, extract_keys, flow_row
from integrations.engine.leases import Claim
from integrations.engine.registry import spec_for
from integrations.engine.rows import insert_rows
from integrations.engine.spec import FlowSpec
from integrations.engine.stream import Kind
from integrations.models import Flow, Instance

if TYPE_CHECKING:
    from integrations.engine.context import Run
    from integrations.engine.files import Feed


class Perform(Protocol):
    """How the runner runs a claimed instance's body: its answer, or a Fault already written down."""

    def __call__(
        self,
        instance: Instance,
        spec: FlowSpec,
        claim: Claim,
        message: Any,
        *,
        feed: "Feed | None" = None,
        parent: "Run | None" = None,
    ) -> Any:
        """Run the body to its end."""
        ...


def call_child(parent: "Run", identifier: str, message: Any, *, feed: "Feed | None" = None) -> Any:
    """The child's answer; its fault goes through to the parent, which decides what becomes of it."""
    spec = spec_for(identifier)
    if identifier not in parent.spec.calls and identifier != parent.spec.package.error_handler:
        raise TechnicalFault(f"{parent.spec.identifier} does not declare that it calls {identifier}")
    flow = flow_row(spec)
    if not flow.active:
        raise Inactive(
            f"{spec.identifier} is not active", hint=f"Activate it: {parent.spec.identifier} calls it."
        )
    child, claim = _child_instance(parent, flow, spec, message, feed)
    if identifier != parent.spec.package.error_handler:  # that one is told of an instance that has ended
        claim.under = parent.claim
    with parent.stream.timed(Kind.CHILD, f"Called {spec.name}", operation=spec.identifier) as line:
        answer = parent.perform(child, spec, claim, message, feed=feed, parent=parent)
        line.bytes_out = feed.transfer.size if feed else None
        line.text += f" (instance {child.pk})"
    return answer


def _child_instance(
    parent: "Run", flow: Flow, spec: FlowSpec, message: Any, feed: "Feed | None"
) -> tuple[Instance, Claim]:
    child = Instance(
        flow=flow,
        flow_version=spec.version,
        cause=Instance.Cause.PARENT,
        parent=parent.instance,
        message_payload=parent.stream.kept(message),
        attachment_name=feed.transfer.source_name[:255] if feed else "",
        created_at=db_now(),
    )
    rows = extract_keys(child, spec, message)
    with transaction.atomic():
        parent.stream.flush()
        claim = begin_running(child)
        insert_rows(rows)
    return child, claim
