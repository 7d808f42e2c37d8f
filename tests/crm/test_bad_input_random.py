"""Whatever comes, the answer is a reply or a fault that can be read: messages made at random from good ones."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from crm.operations.registry import OPERATIONS, operation_named
from crm.wire.codec import decode, to_json
from crm.wire.types import message_element
from tests.crm.answers import TYPES, rest, verdict
from tests.crm.conftest import SOAP_11, SOAP_12, Crm
from tests.crm.rows import a_callback, a_ticket, held

SAMPLES = Path(__file__).parent.parent / "samples" / "crm"
NAMES = [one.name for one in OPERATIONS]
TRIES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
VALUES = [
    "",
    " ",
    "0",
    "-1",
    "true",
    "x" * 300,
    "9" * 400,
    "NaN",
    "1e999",
    "' OR 1=1 --",
    "<script>",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T24:00:00Z",
    "2026-02-30T00:00:00Z",
    "get",
    "created",
    "\N{REPLACEMENT CHARACTER}\u202e\U0001f4a1",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture
def full(crm: Crm) -> Crm:
    """A client, and rows that a message could meet."""
    a_ticket(name="EXT-1", point="SDP-1001")
    a_callback(priority=6)
    held()
    return crm


def sample(operation: str) -> "etree._Element":
    """A good message."""
    name = "CreatedTroubleTickets" if operation == "ChangedTroubleTickets" else operation
    root = etree.parse(str(SAMPLES / f"{name}.xml")).getroot()
    if operation != name:
        root.tag = root.tag.replace(name, operation)
        root.find(".//{*}Verb").text = "changed"
    return root


def sample_json(operation: str) -> Any:
    """The same, as JSON."""
    known = operation_named(operation)
    kind: Any = message_element(known.asks_in, known.name).type
    return to_json(decode(sample(operation), kind), kind)


def sent(crm: Crm, operation: str, content: bytes, version: str = SOAP_11) -> str:
    """How SOAP answered these bytes."""
    path = f"/crm/soap/{operation_named(operation).service}"
    answer = crm.http.generic("POST", path, content, TYPES[version], **crm.login)
    return verdict(operation, answer)


def wrapped(message: "etree._Element", version: str) -> bytes:
    root = etree.Element(f"{{{version}}}Envelope")
    etree.SubElement(root, f"{{{version}}}Body").append(message)
    return etree.tostring(root)


@pytest.mark.parametrize("operation", NAMES)
def test_the_samples_themselves_are_good_messages(full: Crm, operation):
    expected = {"CreatedCallBacksResults": "FAILED", "ChangedTroubleTickets": "FAILED"}.get(operation, "OK")
    assert sent(full, operation, wrapped(sample(operation), SOAP_11)) == expected
    document = sample_json(operation)
    document["Header"]["MessageID"] = "m2"
    assert verdict(operation, rest(full, operation, document)) == expected


# -- XML -------------------------------------------------------------------------------------------------


def _drop(at: "etree._Element", _: random.Random) -> None:
    at.getparent().remove(at)


def _double(at: "etree._Element", _: random.Random) -> None:
    at.addnext(copy.deepcopy(at))


def _swap(at: "etree._Element", chance: random.Random) -> None:
    parent: Any = at.getparent()
    parent.insert(chance.randrange(len(parent)), at)


def _move(at: "etree._Element", chance: random.Random) -> None:
    """Somewhere else altogether."""
    taken = copy.deepcopy(at)
    chance.choice(list(at.getroottree().iter("*"))).append(taken)


def _rename(at: "etree._Element", chance: random.Random) -> None:
    at.tag = f"{{{etree.QName(at).namespace}}}{chance.choice(['x', 'Header', 'mRID', 'comment', 'Payload'])}"


def _elsewhere(at: "etree._Element", chance: random.Random) -> None:
    at.tag = f"{{{chance.choice(['urn:x', SOAP_11, SOAP_12])}}}{etree.QName(at).localname}"


def _say(at: "etree._Element", chance: random.Random) -> None:
    at.text = chance.choice(VALUES)


def _hang(at: "etree._Element", chance: random.Random) -> None:
    name = chance.choice(
        ["x", "{http://www.w3.org/2001/XMLSchema-instance}type", f"{{{SOAP_11}}}mustUnderstand"]
    )
    at.set(name, chance.choice(VALUES).replace("\0", ""))


CHANGES = [_drop, _double, _swap, _move, _rename, _elsewhere, _say, _hang]


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12], ids=["1.1", "1.2"])
@pytest.mark.parametrize("operation", NAMES)
def test_messages_that_were_changed_at_random(full: Crm, operation, version):
    """One to five changes anywhere below the root."""

    @TRIES
    @given(seed=st.integers(0, 10**6), count=st.integers(1, 5))
    def run(seed: int, count: int) -> None:
        chance = random.Random(seed)
        message = sample(operation)
        for _ in range(count):
            below = list(message.iter("*"))[1:]
            if below:
                chance.choice(CHANGES)(chance.choice(below), chance)
        sent(full, operation, wrapped(message, version), version)

    run()


@pytest.mark.parametrize("operation", NAMES)
def test_bytes_that_were_changed_at_random(full: Crm, operation):
    """Cut, repeated, overwritten, in the middle of tags, of characters, of the envelope."""
    good = wrapped(sample(operation), SOAP_11)

    @TRIES
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        content = bytearray(good)
        for _ in range(data.draw(st.integers(1, 4))):
            start = data.draw(st.integers(0, len(content) - 1))
            end = min(len(content), start + data.draw(st.integers(0, 30)))
            content[start:end] = data.draw(st.binary(max_size=8) | st.just(bytes(content[start:end]) * 2))
        sent(full, operation, bytes(content))

    run()


# -- JSON ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", NAMES)
def test_documents_at_random(full: Crm, operation):
    @TRIES
    @given(document=JSON)
    def run(document: Any) -> None:
        verdict(operation, rest(full, operation, _bytes(document)))

    run()


@pytest.mark.parametrize("operation", NAMES)
def test_documents_that_were_changed_at_random(full: Crm, operation):
    """A member taken out, renamed, or given another value, anywhere."""
    good = sample_json(operation)

    @TRIES
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        document = copy.deepcopy(good)
        for _ in range(data.draw(st.integers(1, 4))):
            at, key = data.draw(st.sampled_from(_places(document)))
            change = data.draw(st.sampled_from(["set", "drop", "rename", "wrap"]))
            if change == "set":
                at[key] = data.draw(JSON)
            elif change == "wrap":
                at[key] = [at[key], {key if isinstance(key, str) else "x": at[key]}]
            else:
                value = at.pop(key)
                if change == "rename" and isinstance(at, dict):
                    at[data.draw(st.text(max_size=10))] = value
            if not _places(document):
                break
        verdict(operation, rest(full, operation, _bytes(document)))

    run()


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every member and item there is, as what holds it and its key."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += [(value, key), *_places(inner)]
    return found


def _bytes(document: Any) -> bytes:
    """As a caller's library would write it, what no JSON has among it."""
    try:
        return orjson.dumps(document)
    except TypeError:
        return json.dumps(document).encode()
