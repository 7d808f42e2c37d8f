"""Flows made for one test, without any system behind them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.engine import registry
from integrations.engine.spec import ASYNCHRONOUS, Inbound, Package, Scheduled, flow, registered
from integrations.models import Client, Flow
from integrations.services.flows_sync import flows_sync

PACKAGE = Package(
    name="test",
    version="01.00.0000",
    source="a test",
    config="OUTL-BRT-CCS_DACS_ConfigProps",
    emails="OUTL-BRT-CCS_DACS_Email_ID",
    error_handler="OUTL-BA-CCS_DACS_ERR_HNDLR",
)
MakeFlow = Callable[..., Flow]


@pytest.fixture
def make_flow(transactional_db: None) -> Iterator[MakeFlow]:
    """make_flow(body, pattern=…) registers a flow, makes its row and switches it on."""
    made: list[str] = []

    def make(body: Any, *, pattern: str = ASYNCHRONOUS, identifier: str = "TEST-FLOW", **more: Any) -> Flow:
        trigger = Scheduled() if pattern == "file" else Inbound(resource="go")
        flow(identifier, name=identifier, package=PACKAGE, pattern=pattern, trigger=trigger, **more)(body)
        made.append(identifier)
        registry._found.clear()
        flows_sync()
        Flow.objects.update(active=True)
        return Flow.objects.get(identifier=identifier)

    yield make
    for identifier in made:
        registered().pop(identifier)
    registry._found.clear()


@pytest.fixture
def client(transactional_db: None) -> Client:
    return Client.objects.create(client_id="A-CALLER")
