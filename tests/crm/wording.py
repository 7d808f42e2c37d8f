"""What the catalogue's tests share: errors as the seed prints them, both transports, lists as admins edit them."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connections
from lxml import etree

from crm.models import ReceivedMessage, TroubleTicket
from crm.operations.registry import operation_named
from crm.wire.codec import decode
from crm.wire.types import SCHEMAS, message_element
from lookups.models import Lookup, Row
from tests.crm.conftest import SOAP_11, SOAP_12, Crm, Plain, Said, envelope, header

REST, SOAP, NEWER_SOAP = "rest", "soap", "soap12"
TRANSPORTS = [REST, SOAP]
DETAILS = 5
SENT, STORED = "No Power/No Light", "No Power/No Light"
CLEAN = {"name": "clean"}


def over(crm: Crm, transport: str) -> Crm:
    """The same client, whose operations go over this transport."""
    crm.__dict__.pop("call", None)
    if transport != REST:
        version = SOAP_12 if transport == NEWER_SOAP else SOAP_11
        crm.__dict__["call"] = partial(crm.soap_call, version=version)
    return crm


def error(code: str, level: str, reason: str, details: str) -> Plain:
    """An Error entry, whole."""
    return {"code": code, "level": level, "reason": reason, "details": details}


def statuses(said: Said) -> list[str]:
    """The tickets' status.value, in the reply's order."""
    return [one["status"]["value"] for one in said.tickets]


def names(**where: Any) -> list[str]:
    """External ids of the tickets there are, in the order they were created."""
    return list(TroubleTicket.objects.filter(**where).order_by("pk").values_list("name", flat=True))


def stored(name: str) -> TroubleTicket:
    """The ticket with this external id."""
    return TroubleTicket.objects.get(name=name)


def nothing_written() -> bool:
    """Whether the database is as if no message had come."""
    return not TroubleTicket.objects.exists() and not ReceivedMessage.objects.exists()


def send_raw(crm: Crm, transport: str, operation: str, body: Plain, **more: Any) -> Any:
    """Django's response to a message, whatever comes of it; `more`: members of the header."""
    document = {"Header": header(operation, **more), **body}
    if transport == REST:
        address = f"/api/crm/v1/{operation}"
        return crm.http.post(address, document, content_type="application/json", **crm.login)
    version = SOAP_12 if transport == NEWER_SOAP else SOAP_11
    content = envelope(operation, document, version=version)
    return crm.soap(operation_named(operation).service, content, version=version)


def fault_reply(operation: str, answer: Any) -> Plain:
    """The Reply of a fault message, valid against our own schema where it comes in an envelope."""
    if answer["Content-Type"].startswith("application/json"):
        return answer.json()["Reply"]
    known = operation_named(operation)
    member: Any = message_element(known.answers_in, known.fault_element)
    found: Any = etree.fromstring(answer.content).find(f".//{member.tag}")
    schema = etree.XMLSchema(etree.parse(str(SCHEMAS / f"{known.answers_in}Message.xsd")))
    schema.assertValid(etree.fromstring(etree.tostring(found)))
    return decode(found, member.type)["Reply"]


def row_set(table: str, key: str, place: int, value: str) -> None:
    """What a business admin does to one cell of the row that begins with `key`."""
    row = next(row for row in Row.objects.filter(lookup__name=f"GRIDOPS-CRM_{table}") if row.cells[0] == key)
    row.cells = [*row.cells[:place], value, *row.cells[place + 1 :]]
    row.save()


def row_add(table: str, *cells: str) -> None:
    """A new row at the end of a list."""
    Row.objects.create(lookup=Lookup.objects.get(name=f"GRIDOPS-CRM_{table}"), cells=list(cells))


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Their results, all begun in the same moment, each on a thread and a connection of its own."""
    ready = threading.Barrier(len(calls))
    found: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            ready.wait(10)
            found[place] = call()
        except Exception as failed:  # noqa: BLE001  (the test shows it)
            found[place] = failed
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found
