"""CC&B and WAM as real servers around the hub, which both call as partners do: over HTTP."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from demo.ccb import Ccb
from demo.wam import Wam, acknowledgement
from integrations.engine.leases import Keeper
from integrations.models import Flow, Instance, SyncRequest
from integrations.services.client_create import client_create
from tests.flows.conftest import connection_set
from tests.flows.cpmcs_derms.conftest import run_once

PACKAGE = "outl.ba.ccb_wam"
CCB, WAM = "OU REST CCB for CCB-WAM", "OU REST WAM for CCB-WAM"
SYNC = ("OUTL-BA-CCB_WAM_SP_SYNC", "service-point-sync")
ACK = ("OUTL-BA-WAM_CCB_SP_SYNC_ACK", "service-point-sync-ack")
FILES = Path(__file__).parents[2] / "samples" / "ccb_wam"
SECRET = "a-secret-of-24-characters"


@dataclass
class Sides:
    """Both systems, each with its log-in at the hub."""

    ccb: Ccb
    wam: Wam

    def post(self, who: str, flow: tuple[str, str], message: Any, key: str = "") -> Any:
        """What the hub answers over HTTP."""
        token = base64.b64encode(f"{who}:{SECRET}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", **({"Idempotency-Key": key} if key else {})}
        return Browser().post(
            f"/ic/api/integration/v1/flows/oracleutilities/{flow[0]}/1.0/{flow[1]}",
            json.dumps(message).encode(),
            content_type="application/json",
            headers=headers,
        )

    def sync(self, message: Any) -> Any:
        """CC&B sends service points, and waits."""
        return self.post("CCB", SYNC, message)

    def acknowledge(self, message: Any) -> Instance:
        """WAM acknowledges, which is taken; one attempt at it."""
        answer = self.post("WAM", ACK, message)
        assert answer.status_code == 202, answer.json()
        return run_once(Instance.objects.get(pk=answer["X-Busbar-Instance"]))

    def say(self, sync_request: str, point: str, error: str = "") -> Instance:
        """WAM says what became of one service point."""
        location = self.location(point) if not error else ""
        return self.acknowledge(
            acknowledgement(sync_request, point, location=location, errors=[error] if error else [])
        )

    def location(self, point: str) -> str:
        """The id of a service point's asset location."""
        return self.wam.locations()[point].id

    @property
    def updates(self) -> list[dict[str, Any]]:
        """What CC&B was asked to take, in order."""
        return [one["body"] for one in self.ccb.received() if one["method"] == "PATCH"]

    @property
    def created(self) -> list[dict[str, Any]]:
        """What WAM was asked to make, in order."""
        return [one["body"] for one in self.wam.received() if one["method"] == "POST"]


def begin() -> None:
    """Every flow on, and a log-in for each partner."""
    Flow.objects.filter(package=PACKAGE).update(active=True)
    for name, flow in (("CCB", SYNC), ("WAM", ACK)):
        client_create(client_id=name, secret=SECRET, flows=[flow[0]])


def connect(ccb: Ccb, wam: Wam) -> Sides:
    """Point both connections at their neighbours."""
    for name, side in ((CCB, ccb), (WAM, wam)):
        where = {"url": side.url, "auth": "basic", "user": "HUB"}
        connection_set(name, where, {"password": "a long password"})
    return Sides(ccb, wam)


@pytest.fixture
def sides(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sides]:
    """The package set up for its neighbours, every flow switched on; WAM keeps still until it is told to speak.

    The test's transaction is rolled back, which is fast: no thread but the test's own may ask the database anything,
    so leases are not renewed.
    """
    monkeypatch.setattr(Keeper, "_renew", lambda keeper, held: None)
    begin()
    how: dict[str, Any] = {"slow_seconds": 3, "username": "HUB", "password": "a long password"}
    with Ccb(**how) as ccb, Wam(**how) as wam:
        yield connect(ccb, wam)


def told(name: str, **changed: Any) -> dict[str, Any]:
    """A sample message of the package with other values."""
    return {**json.loads((FILES / f"{name}.json").read_text()), **changed}


def premise(sides: Sides, points: int = 2, **how: Any) -> tuple[dict[str, Any], list[str]]:
    """A message of CC&B about a premise of so many service points, and their ids."""
    message = sides.ccb.service_point_message(0, points, **how)
    return message, [one["spId"] for one in message["servicePoints"]]


def row(sync_request: str) -> SyncRequest:
    """The sync request as the hub knows it."""
    return SyncRequest.objects.get(package=PACKAGE, sync_request_id=sync_request)
