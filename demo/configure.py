"""The hub set up for the neighbours: connections, people, their log-ins, flows switched on.

Runs inside the hub's Django, through its services, as a person would do it in the console.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import Group, User

from demo.operating import operations_allow
from demo.reach import PEOPLE, Caller, Reach
from integrations.models import Breaker, Client, Connection, Flow
from integrations.services.breaker_close import breaker_close
from integrations.services.client_create import client_create
from integrations.services.client_rotate import client_rotate_secret
from integrations.services.connection_save import connection_save
from integrations.services.flow_switch import flow_activate

ACTOR = "make run"
PACKAGE, PROGRAMS_PACKAGE = "outl.ba.ccs_dacs", "OU CPMCS DERMS"
ANALYTICS_PACKAGE, POINTS_PACKAGE = "outl.ba.ouai_dacs_derms", "outl.ba.ccb_wam"
CALLS_PACKAGE = "GRIDOPS-CRM"
PACKAGES = (PACKAGE, PROGRAMS_PACKAGE, ANALYTICS_PACKAGE, POINTS_PACKAGE, CALLS_PACKAGE)


def connections_set(reaches: Iterable[Reach]) -> None:
    """Point the packages' connections at the neighbours; settings a person added beside stay.

    A breaker that an earlier run left open is closed: the neighbours have just been started.
    """
    for reach in reaches:
        row = Connection.objects.get(name=reach.connection)
        row.settings = {**row.settings, **reach.settings}
        row.secrets = {**row.secrets, **reach.secrets}
        row.host_key, row.catalog_url = reach.host_key, reach.catalog_url
        row.connect_timeout, row.read_timeout = reach.connect_timeout, reach.read_timeout
        connection_save(connection=row, trust=list(row.trust.all()), actor=ACTOR)
        if Breaker.objects.filter(connection=row, failures__gt=0).exists():
            breaker_close(connection=row, actor=ACTOR)


def people_set(passwords: Mapping[str, str]) -> list[dict[str, str]]:
    """One person a role, with these passwords; what `var/demo.json` says of them."""
    for username, role in PEOPLE.items():
        user, _ = User.objects.get_or_create(username=username)
        if not user.check_password(passwords[username]):
            user.set_password(passwords[username])
        user.is_staff, user.is_active = True, True
        user.is_superuser = role == "Administrator"
        user.save()
        user.groups.add(Group.objects.get(name=role))
    return [
        {"username": username, "password": passwords[username], "role": role}
        for username, role in PEOPLE.items()
    ]


def callers_set(callers: Iterable[Caller]) -> list[dict[str, Any]]:
    """Log-ins for the systems that call the hub; what `var/demo.json` says of them."""
    told = []
    for caller in callers:
        flows = list(Flow.objects.filter(identifier__in=caller.flows))
        client = Client.objects.filter(client_id=caller.client_id).first()
        if client is None:
            client = client_create(
                client_id=caller.client_id, name=caller.name, flows=flows, secret=caller.secret, actor=ACTOR
            ).client
        else:
            client_rotate_secret(client=client, actor=ACTOR, secret=caller.secret)
            client.flows.add(*flows)
        operations_allow(client, caller.flows, ACTOR)
        told.append({"id": caller.client_id, "secret": caller.secret, "flows": sorted(caller.flows)})
    return told


def flows_activate(packages: Iterable[str] = (PACKAGE,)) -> list[str]:
    """Switch every flow of these packages on; their identifiers. FlowNotReady says what is missing."""
    flows = list(Flow.objects.filter(package__in=list(packages), present=True))
    for flow in flows:
        if not flow.active:
            flow_activate(flow=flow, actor=ACTOR)
    return [flow.identifier for flow in flows]
