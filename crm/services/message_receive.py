"""Receiving a message: checked, done once, answered; the same for SOAP and REST (seed 004 chapters 5 to 8).

Message and reply are one transaction: a message whose reply was lost is answered with it when it comes again.
"""

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from lxml import etree

from crm.config import Config, config
from crm.models import Nonce, ReceivedMessage
from crm.operations.base import Asked, Done, Operation
from crm.operations.problems import Problems, Stop
from crm.services.message_header import expect_header, reply_header, settle_verb
from crm.services.one_writer import one_writer
from crm.wire.bounds import Items
from crm.wire.check import Invalid, Strictness, check
from crm.wire.codec import decode
from crm.wire.types import message_element
from crm.wire.values import OutOfRange, flag_of, moment_of, text_of
from integrations.engine.rows import insert_unless_there
from integrations.models import Client
from integrations.models.ids import time_ordered_id

REPLAY_WINDOW = timedelta(minutes=5)
NONCE_DAYS = timedelta(hours=24)
_LONGEST = 255
Plain = dict[str, Any]


class StandbySite(Exception):
    """This site is not the active one: nothing is read and nothing written."""


class Replayed(Exception):
    """A nonce that was used before, or a message made too long ago or ahead."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer: {Header, Reply, Payload}. `repeated`: it is the one that was given before."""

    document: Plain
    repeated: bool = False


@dataclass
class _Receipt:
    """A message under way."""

    operation: Operation
    settings: Config
    client: Client | None
    transport: str
    now: datetime
    began: float
    problems: Problems
    document: Plain

    @property
    def header(self) -> Plain:
        found: Plain = self.document.get("Header") or {}
        return found


def message_receive(
    *, operation: Operation, message: "etree._Element", client: Client | None, transport: str
) -> Reply:
    """Take a message element, which is put in order on the way; the reply, whatever is wrong with it.

    Raises StandbySite, Replayed; the database's own errors where it is down.
    """
    receipt = _receipt(operation, client, transport)
    try:
        _read(receipt, message)
        return _perform(receipt)
    except Stop as stop:
        return _refused(receipt, stop)


def message_refuse(
    *, operation: Operation, stop: Stop, header: Plain, client: Client | None, transport: str
) -> Reply:
    """The reply to what could not even be made a message element; `header`: what of it can be read.

    Raises StandbySite.
    """
    receipt = _receipt(operation, client, transport)
    receipt.document = {"Header": header}
    return _refused(receipt, stop)


def _receipt(operation: Operation, client: Client | None, transport: str) -> _Receipt:
    settings = config()
    if not settings.active:
        raise StandbySite
    problems = Problems(operation.name, settings)
    return _Receipt(operation, settings, client, transport, timezone.now(), time.perf_counter(), problems, {})


def _read(receipt: _Receipt, message: "etree._Element") -> None:
    """From the element to plain values, valid ones. Stop."""
    operation, settings = receipt.operation, receipt.settings
    member = message_element(operation.asks_in, operation.name)
    assert member.type is not None  # noqa: S101  (message elements have members)
    flag = settings.properties.flag
    strict = Strictness(flag("order.strict", False), flag("namespace.strict", False))
    items = Items(*operation.item_path, _most_items(settings))
    try:
        settle_verb(operation, message)
        check(message, member, operation.asks_in, strict, items)
    except Invalid as invalid:
        _read_header(receipt, message)
        raise Stop("InvalidMessage", str(invalid)) from None
    except Stop:  # of the verb or the noun: what else is wrong with it is not told
        with suppress(Invalid):
            check(message, member, operation.asks_in, strict, items)
        _read_header(receipt, message)
        raise
    receipt.document = decode(message, member.type)
    expect_header(receipt.header, settings)
    _expect_payload(receipt)


def _read_header(receipt: _Receipt, message: "etree._Element") -> None:
    """What can be read of the header of a message that is not valid: the reply names its CorrelationID."""
    member = message_element(receipt.operation.asks_in, receipt.operation.name)
    header = member.type.by_name["Header"] if member.type else None
    for child in message:
        if header is not None and header.type is not None and child.tag == header.tag:
            receipt.document = {"Header": decode(child, header.type)}


def _expect_payload(receipt: _Receipt) -> None:
    payload = receipt.document.get("Payload") or {}
    for name in ("OperationSet", "Compressed"):
        if payload.get(name):
            raise Stop("InvalidMessage", f"Payload.{name} is not read here: send the items as they are")
    outer, inner = receipt.operation.item_path
    if not outer:
        return
    count = len(receipt.operation.items(payload))
    most = _most_items(receipt.settings)
    if not count:
        raise Stop("InvalidMessage", f"Payload.{outer} has no {inner}")
    if count > most:
        raise Stop("InvalidMessage", f"{count} {inner} elements in one message; {most} are the most")


def _most_items(settings: Config) -> int:
    return settings.properties.number("message.items.limit", 10_000)


def _perform(receipt: _Receipt) -> Reply:
    operation = receipt.operation
    asked = _asked(receipt, receipt.document.get("Payload") or {})
    try:
        prepared = operation.prepare(asked)
        with one_writer(), transaction.atomic():
            _expect_fresh(receipt)
            row = _row(receipt, asked)
            if not insert_unless_there(row):
                return _first_reply(row)
            done = operation.perform(asked, prepared)
            reply = _reply(receipt, done)
            _keep(receipt, row, reply, done)
    except OutOfRange as error:
        raise Stop("InvalidMessage", str(error)) from None
    if operation.afterwards(asked, done):
        reply = Reply({**reply.document, "Reply": _said(receipt, done)})
        _keep(receipt, row, reply, done)
    return reply


def _asked(receipt: _Receipt, payload: Plain) -> Asked:
    return Asked(
        receipt.settings,
        receipt.problems,
        receipt.header,
        receipt.document.get("Request") or {},
        payload,
        receipt.client,
        time_ordered_id(),
        receipt.now,
    )


def _row(receipt: _Receipt, asked: Asked) -> ReceivedMessage:
    header = receipt.header
    user = header.get("User") or {}
    return ReceivedMessage(
        id=asked.message,
        operation=receipt.operation.name,
        client=receipt.client,
        transport=receipt.transport,
        message_id=_short(header.get("MessageID")),
        correlation_id=_short(header.get("CorrelationID")),
        source=_short(header.get("Source")),
        user_id=_short(user.get("UserID")),
        organization=_short(user.get("Organization")),
        async_reply=flag_of(header.get("AsyncReplyFlag")),
        reply_address=_short(header.get("ReplyAddress")),
        ack_required=flag_of(header.get("AckRequired")),
        header=header,
        content_digest=_digest(asked),
        repeatable=receipt.operation.repeatable,
        received_at=receipt.now,
    )


def _short(text: str | None) -> str:
    """As a column takes it: what the schema refused for its length is kept as well."""
    return text_of(text)[:_LONGEST]


def _digest(asked: Asked) -> str:
    content = orjson.dumps([asked.request, asked.payload], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()


def _first_reply(row: ReceivedMessage) -> Reply:
    """What its MessageID was answered with; Stop where it was another message."""
    known = ReceivedMessage.objects.get(
        client=row.client, operation=row.operation, message_id=row.message_id, repeatable=True
    )
    if known.content_digest != row.content_digest or known.reply is None:
        raise Stop("InvalidMessage", f"MessageID {row.message_id} was used for another message before")
    ReceivedMessage.objects.filter(pk=known.pk).update(repeats=F("repeats") + 1)
    return Reply(orjson.loads(bytes(known.reply)), repeated=True)


def _expect_fresh(receipt: _Receipt) -> None:
    """Replay protection, where the header asks for it (contract: five minutes, nonces kept a day)."""
    replay = receipt.header.get("ReplayDetection")
    if not replay or receipt.client is None:
        return
    if abs(moment_of(replay["Created"]) - receipt.now) > REPLAY_WINDOW:
        raise Replayed("The message was created more than five minutes away from now")
    Nonce.objects.filter(seen_at__lt=receipt.now - NONCE_DAYS).delete()
    nonce = Nonce(client=receipt.client, value=text_of(replay["Nonce"]), seen_at=receipt.now)
    if not insert_unless_there(nonce):
        raise Replayed("The nonce was used before")


def _reply(receipt: _Receipt, done: Done) -> Reply:
    header = reply_header(receipt.operation, receipt.header, receipt.settings, receipt.now)
    return Reply({"Header": header, "Reply": _said(receipt, done), "Payload": done.payload})


def _said(receipt: _Receipt, done: Done) -> Plain:
    entries = receipt.problems.entries()
    return {"Result": receipt.problems.result(done=done.done), "Error": entries or None}


def _keep(receipt: _Receipt, row: ReceivedMessage, reply: Reply, done: Done) -> None:
    """The outcome. A message of which nothing was done may come again, put right, under its MessageID."""
    result = reply.document["Reply"]["Result"]
    ReceivedMessage.objects.filter(pk=row.pk).update(
        result=result,
        reasons=receipt.problems.reasons,
        items=done.items,
        repeatable=row.repeatable and result != "FAILED",
        reply=orjson.dumps(reply.document) if row.repeatable else None,
        milliseconds=(time.perf_counter() - receipt.began) * 1000,
    )


def _refused(receipt: _Receipt, stop: Stop) -> Reply:
    """The whole message is refused: said, and on record."""
    receipt.problems = Problems(receipt.operation.name, receipt.settings)
    receipt.problems.add(stop.reason, value=stop.value, case=stop.case)
    reply = _reply(receipt, Done())
    row = _row(receipt, _asked(receipt, {}))
    row.repeatable, row.reasons = False, receipt.problems.reasons
    row.result = reply.document["Reply"]["Result"]
    row.milliseconds = (time.perf_counter() - receipt.began) * 1000
    row.save(force_insert=True)
    return reply
