"""What `make run` does inside the hub: sets it up for the neighbours, and starts runs as an operator would."""

import time
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import connections

from demo.configure import (
    ACTOR,
    PACKAGES,
    callers_set,
    connections_set,
    flows_activate,
    people_set,
)
from demo.operating import crm_set
from demo.stage import CannotStartError
from integrations.engine.faults import Conflict
from integrations.models import Flow, Instance
from integrations.services.connection_save import ConnectionProblems
from integrations.services.flow_run import flow_run, overlap_key
from integrations.services.flow_switch import FlowNotReady
from integrations.services.instance_discard import instance_discard

CUSTOMER_SYNC = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
OPERATOR = "operator"
LONGEST_WAIT = 30.0  # seconds for an earlier run of the same flow to end
POLL_SECONDS = 0.2
ANEW = "The demo runs the flow anew, and what this run has not moved is there for that one"


def set_up(world: Any, *, port: int) -> dict[str, Any]:
    """Connections, log-ins and flows for this world; what `var/demo.json` says (contract).

    CannotStartError where a setting of an earlier run is in the way.
    """
    users = people_set(world.passwords())
    clients = callers_set(world.callers())
    try:
        connections_set(world.reaches())
        flows_activate(PACKAGES)
        crm_set()
    except (FlowNotReady, ConnectionProblems) as error:
        raise CannotStartError(str(error)) from error
    return {
        "console": f"http://127.0.0.1:{port}/admin/",
        "users": users,
        "clients": clients,
        "neighbours": world.addresses(),
    }


def run_customer_sync(code: str) -> str:
    """Run the customer sync for the files of one extract batch; the instance's id."""
    return run_flow(CUSTOMER_SYNC, {"extractedFileNamePrefix": code})


def run_flow(identifier: str, parameters: Mapping[str, str] | None = None) -> str:
    """Run a flow by hand, as the operator does; the instance's id.

    One of an earlier start that waits for its next try is discarded, as it would keep this one out; one that runs
    is awaited. CannotStartError where it does not end.
    """
    flow = Flow.objects.get(identifier=identifier)
    operator = User.objects.get(username=OPERATOR)
    given = dict(parameters or {})
    deadline = time.monotonic() + LONGEST_WAIT
    try:
        while True:
            try:
                return str(flow_run(flow=flow, parameters=given, user=operator, actor=operator.username).pk)
            except Conflict as conflict:
                if time.monotonic() > deadline:
                    raise CannotStartError(str(conflict)) from conflict
            if not _discard_waiting(flow, given):
                time.sleep(POLL_SECONDS)
    finally:
        connections.close_all()


def instance_state(key: str) -> str:
    """How an instance stands and what its last fault was, "" for an id that is none."""
    found = Instance.objects.filter(pk=key).first() if key else None
    connections.close_all()
    if found is None:
        return ""
    return ": ".join(filter(None, (f"it is {found.get_status_display().lower()}", found.fault_text)))


def _discard_waiting(flow: Flow, parameters: dict[str, Any]) -> bool:
    """Whether there was a run with these parameters that waits; it is none any more."""
    waiting = Instance.objects.filter(
        flow=flow, overlap_key=overlap_key(parameters), status=Instance.Status.WAITING
    ).first()
    if waiting is None:
        return False
    try:
        instance_discard(instance=waiting, actor=ACTOR, reason=ANEW)
    except Conflict:  # a worker has just taken it
        return False
    return True
