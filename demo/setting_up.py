"""What `make run` does inside the hub: sets it up for the neighbours, and starts runs as an operator would."""

from typing import Any

from django.contrib.auth.models import User
from django.db import connections

from demo.configure import callers_set, connections_set, flows_activate, people_set
from demo.stage import CannotStartError
from integrations.models import Flow
from integrations.services.connection_save import ConnectionProblems
from integrations.services.flow_run import flow_run
from integrations.services.flow_switch import FlowNotReady

CUSTOMER_SYNC = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
OPERATOR = "operator"


def set_up(world: Any, *, port: int) -> dict[str, Any]:
    """Connections, log-ins and flows for this world; what `var/demo.json` says (contract).

    CannotStartError where a setting of an earlier run is in the way.
    """
    users = people_set(world.passwords())
    clients = callers_set(world.callers())
    try:
        connections_set(world.reaches())
        flows_activate()
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
    flow = Flow.objects.get(identifier=CUSTOMER_SYNC)
    operator = User.objects.get(username=OPERATOR)
    instance = flow_run(
        flow=flow, parameters={"extractedFileNamePrefix": code}, user=operator, actor=operator.username
    )
    connections.close_all()
    return str(instance.pk)
