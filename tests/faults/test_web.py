"""The web process dies while DACS waits for its answer; DACS sends the same message again."""

import time
from collections.abc import Callable

import pytest
import requests

from demo.extracts import CONTACT
from demo.shelf import Folder
from tests.faults.conftest import FULL
from tests.faults.databases import SECRET
from tests.faults.hub import FaultHub
from tests.faults.judging import settle
from tests.faults.processes import command_of, kill
from tests.faults.report import Case

BOUNDED = ["after_effect"]
REST = ["after_insert", "after_intent", "request_sent_reply_unsaved"]
WORDS = {
    "after_insert": "message stored, nothing done or answered yet",
    "after_intent": "call to CCS recorded, not made",
    "request_sent_reply_unsaved": "CCS has answered, nothing recorded",
    "after_effect": "call recorded as done, DACS not answered",
}


def web_processes(hub: FaultHub) -> list[int]:
    return [pid for pid in hub.processes() if "granian" in command_of(pid)]


def acknowledge(port: int, reference: str) -> requests.Response:
    """DACS acknowledges one sync request; ConnectionError where the hub dies over it."""
    at = "/ic/api/integration/v1/flows/rest/OUTL-BA-DACS_CCS_CUST_SYNC_ACK/1.0/sendCustomerSyncAck"
    details = {"syncRequestId": reference, "externalReferenceId": reference, "ackStatus": "ACCEPTED"}
    return requests.post(
        f"http://127.0.0.1:{port}{at}",
        json={"sendDetails": {**details, "errors": []}},
        auth=("DACS", SECRET),
        timeout=30,
    )


def insist(hub: FaultHub, port: int, reference: str) -> tuple[int, requests.Response]:
    """Send until the hub says 200, starting the web server again when it has died: how often it died, the answer."""
    died, deadline = 0, time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            answer = acknowledge(port, reference)
        except requests.ConnectionError:
            died += 1
            for pid in web_processes(hub):
                kill(pid)
            hub.wait(lambda: not web_processes(hub), 10, "the web server is gone")
            hub.web(points="never", port=port)
            continue
        if answer.status_code == 200:
            return died, answer
        assert answer.status_code in (202, 502), answer.text
        time.sleep(0.5)
    raise AssertionError("No 200 within a minute")


@pytest.mark.parametrize("point", [*BOUNDED, *(REST if FULL else [])])
def test_an_acknowledgement_arrives_once(point: str, hub: FaultHub, case: Callable[..., Case]) -> None:
    kept = case(f"killed {WORDS[point]}", "Web process killed while DACS waits for its answer")
    shelf = hub.folder / "shelf"
    shelf.mkdir()
    hub.ccs.change(CONTACT, 1)
    (reference,) = hub.ccs.extract("C1-DCTEX", Folder(shelf)).references
    hub.beat(cluster=False)
    port = hub.web(points=point)
    died, _ = insist(hub, port, reference)
    assert died == 1
    taken = [entry["status"] for entry in hub.ccs.received() if entry["method"] == "PATCH"]
    assert taken.count(200) == 1
    assert set(taken) <= {200, 400}
    (run,) = (row for row in hub.ask("instances") if not row["child"])
    assert (run["status"], run["crashes"], run["attempts"][-1]) == ("succeeded", 0, "succeeded")
    again = acknowledge(port, reference)
    assert (again.status_code, again.headers["X-Busbar-Repeated"]) == (200, "true")
    assert [step["state"] for step in run["steps"]] == ["done"]
    settle(hub, kept)
