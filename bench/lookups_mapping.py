"""Lookups from the cache against a dict, and the acknowledgement's mapping against the same dict made by hand."""

import time
from collections.abc import Callable
from typing import Any

from bench.figures import Figure, Progress, median, tell
from bench.hub import ACK_FLOW, CONFIG, ack, prepare, reaches

PART = "Lookups and mapping"
ROUNDS, ROWS = 5, 1000
LOOKUPS, MAPPINGS = 100_000, 10_000


def measure(*, full: bool) -> None:
    """Rates of both, medians of rounds; with `full` five times as many calls."""
    prepare(reaches(), {})
    times = 5 if full else 1
    _lookups(LOOKUPS * times)
    _mapping("accepted", ack("10000000000001"), MAPPINGS * times)
    _mapping("rejected, 2 errors", _rejected(), MAPPINGS * times)


def _lookups(count: int) -> None:
    from lookups.models import Lookup, Row  # noqa: PLC0415  (models need Django set up)
    from lookups.resolve import lookup_value  # noqa: PLC0415  (as above)

    lookup = Lookup.objects.create(name="BENCH", columns=["CCS", "DACS"])
    rows = [Row(lookup=lookup, position=n, cells=[f"C{n}", f"D{n}"]) for n in range(ROWS)]
    Row.objects.bulk_create(rows)
    known = {f"C{n}": f"D{n}" for n in range(ROWS)}
    keys = [f"C{n % ROWS}" for n in range(count)]
    if [lookup_value("BENCH", "CCS", key, "DACS") for key in known] != list(known.values()):
        raise RuntimeError("The lookup does not answer as the dict does")

    def by_hub() -> None:
        for key in keys:
            lookup_value("BENCH", "CCS", key, "DACS")

    def by_dict() -> None:
        for key in keys:
            known[key]

    _compare("Lookup, cached", "the same in a dict", by_hub, by_dict, count)


def _mapping(name: str, message: dict[str, Any], count: int) -> None:
    from integrations.engine.mapper import mapping_functions  # noqa: PLC0415  (models need Django set up)
    from integrations.engine.registry import spec_for  # noqa: PLC0415  (as above)
    from integrations.mapping import evaluate  # noqa: PLC0415  (as above)

    expression = spec_for(ACK_FLOW).mappings["sync_request_ack"]
    functions = mapping_functions()
    if evaluate(expression, message, functions=functions) != by_hand(message):
        raise RuntimeError("The mapping and the dict made by hand differ")

    def by_hub() -> None:
        for _ in range(count):
            evaluate(expression, message, functions=functions)

    def by_python() -> None:
        for _ in range(count):
            by_hand(message)

    _compare(f"Mapping, {name}", "the dict made in Python", by_hub, by_python, count)


def _rejected() -> dict[str, Any]:
    details = {**ack("10000000000001")["sendDetails"], "ackStatus": "REJECTED"}
    texts = ("Contact Type XYZ is not in D1-CCBContactTypeLookup", "Name is missing")
    return {"sendDetails": {**details, "errors": [{"messageText": text} for text in texts]}}


def by_hand(message: dict[str, Any]) -> dict[str, Any]:
    """What sync_request_ack.jsonata makes, written in Python, its two properties from the same property list."""
    from lookups.properties import Properties  # noqa: PLC0415  (models need Django set up)

    details = message["sendDetails"]
    made = {"syncRequestId": details["syncRequestId"], "hasError": details["ackStatus"] == "REJECTED"}
    if not made["hasError"]:
        return made
    said = [error["messageText"] for error in details.get("errors", [])]
    properties = Properties(CONFIG)
    exceptions = [
        {
            "sequence": place,
            "messageCategory": properties.number("ccs.error.ack.messagecategory"),
            "messageNumber": properties.number("ccs.error.ack.messagenumber"),
            "messageParameters": [{"parameterSequence": 1, "messageParameterValue": text[:2000]}],
            "comments": text[:254],
        }
        for place, text in enumerate(said or ["Rejected by DACS without a reason"], 1)
    ]
    return {**made, "exceptionInfo": exceptions}


def _compare(
    what: str, yardstick: str, by_hub: Callable[[], None], by_plain: Callable[[], None], count: int
) -> None:
    """Both in turn, so that a noisy neighbour meets both."""
    hub, plain = [], []
    for number in range(ROUNDS):
        tell(Progress(what, number, ROUNDS))
        hub.append(count / _seconds(by_hub))
        plain.append(count / _seconds(by_plain))
    tell(Figure(PART, what, median(hub), "/s", median(plain), yardstick, True, ROUNDS))


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
