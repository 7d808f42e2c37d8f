"""The IVR hosts SendCallBacks, calls customers back, and tells the hub what came of it (seed 004 chapter 9)."""

import pytest
import requests
from lxml import etree

from demo import soap
from demo.control import Control
from demo.http import HttpServer
from demo.hub_caller import Hub
from demo.ivr import ANSWERS, NO_ANSWER, NOT_RESTORED, PATH, RESTORED, UNANSWERED_ONE_IN, Ivr, Xml
from demo.neighbour import wait_for
from demo.soap import SOAP_11, SOAP_12

USER = ("HUB", "ivr-password")


class Collects(HttpServer):
    """In the hub's place: takes results, all of them but those of `refused`."""

    def __init__(self):
        super().__init__()
        self.came = []
        self.refused = set()
        self.down = 0

    def handle(self, call):
        if self.down:
            self.down -= 1
            return Xml(503, b"")
        message = soap.opened(call.body).element
        self.came.append((call, message))
        given = [soap.text_at(one, "mRID") for one in results_in(message)]
        told = [
            {"mRID": one, "status": {"value": "FAILED" if one in self.refused else "UPDATED"}}
            for one in given
        ]
        head = soap.header("reply", "CallbacksResults", "Hub", "r")
        content = {
            "Header": head,
            "Reply": {"Result": "OK"},
            "Payload": {"CallBacksResults": {"CallBackResult": told}},
        }
        reply = soap.element("CallBacksResults", "CallBacksResultsResponseMessage", content)
        return Xml(200, soap.sealed(reply), {"Content-Type": soap.CONTENT_TYPES[SOAP_11]})


def results_in(message):
    return soap.all_at(message, "Payload/CallBacksResults/CallBackResult")


@pytest.fixture
def ivr():
    with Ivr(username=USER[0], password=USER[1], slow_seconds=0.3) as running:
        yield running


@pytest.fixture
def hub():
    with Collects() as running:
        yield running


@pytest.fixture
def calling(hub):
    """An IVR that calls, and soon."""
    with Ivr(
        hub=Hub(hub.url, "IVR", "secret"), call_seconds=0.03, retry_seconds=0.03, max_tries=5
    ) as running:
        yield running


def message(*keys, name="CreatedCallBacks", key="m-1", reason="Restored", **more):
    each = [
        {
            "mRID": one,
            "Reason": reason,
            "IncidentRecord": {"mRID": "INC-1"},
            "TroubleTickets": {"UsagePoint": {"mRID": f"SDP-{one}"}},
        }
        for one in keys
    ]
    head = soap.header("created", "CallBacks", "Busbar", key)
    payload = {"CallBacks": {"CallBack": each, **more}}
    return soap.element("CallBacks", name, {"Header": head, "Payload": payload})


def post(ivr, content, *, version=SOAP_11, auth=USER, method="POST", path=PATH):
    headers = {"Content-Type": soap.CONTENT_TYPES[version]}
    body = content if isinstance(content, bytes) else soap.sealed(content, version)
    return requests.request(method, ivr.url + path, data=body, headers=headers, auth=auth, timeout=5)


def reply(answer):
    return soap.opened(answer.content).element


# Table 10.21 of seed 004: what the response message has to have.
@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_callbacks_are_taken_and_answered_by_a_valid_message(ivr, version):
    answer = post(ivr, message("a", "b"), version=version)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, soap.CONTENT_TYPES[version])
    found = reply(answer)
    assert soap.opened(answer.content).version == version
    assert etree.QName(found).text == "{http://iec.ch/TC57/2011/CallBacksMessage}CallBacksResponseMessage"
    assert soap.wrong("CallBacks", found) == ""
    head = {name: soap.text_at(found, f"Header/{name}") for name in ("Verb", "Noun", "CorrelationID")}
    assert head == {"Verb": "reply", "Noun": "CallBacks", "CorrelationID": "m-1"}
    assert soap.text_at(found, "Header/MessageID")
    assert soap.text_at(found, "Reply/Result") == "OK"
    one = ivr.callbacks()["a"]
    assert (list(ivr.callbacks()), one.reason, one.incident, one.point, one.times) == (
        ["a", "b"],
        "Restored",
        "INC-1",
        "SDP-a",
        1,
    )


def test_one_that_comes_in_another_message_is_counted(ivr):
    for key in ("m-1", "m-2"):
        post(ivr, message("a", key=key))
    assert ivr.callbacks()["a"].times == 2


def test_a_message_that_comes_again_is_answered_as_before_and_calls_nobody_twice(calling, hub):
    first, second = (post(calling, message("a")) for _ in range(2))
    assert first.content == second.content
    assert (calling.callbacks()["a"].times, calling.summary()["repeats"]) == (1, 1)
    assert wait_for(lambda: hub.came, seconds=5)
    assert len(hub.came) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not XML", "It is not XML"),
        (b"<html/>", "It is a html"),
        (f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body/></s:Envelope>'.encode(), "0 elements"),
        (message("a", name="DeletedCallBacks"), "DeletedCallBacks"),
        (message("a", advice="x"), "advice"),
        (message("x" * 300), "maxLength"),
        (message("a", name="CallBacksFaultMessage"), "not valid"),
    ],
)
def test_what_is_no_valid_message_is_a_fault_that_says_why(ivr, content, said):
    answer = post(ivr, content)
    assert answer.status_code == 500
    fault = reply(answer)
    assert etree.QName(fault).localname == "Fault"
    assert "".join(fault.find("faultcode").itertext()) == "soap:Client"
    assert said in fault.find("faultstring").text
    assert ivr.callbacks() == {}


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_the_detail_of_a_fault_is_a_valid_fault_message(ivr, version):
    fault = reply(post(ivr, message("x" * 300), version=version))
    detail = fault.find("detail") if version == SOAP_11 else fault.find(f"{{{SOAP_12}}}Detail")
    (found,) = detail
    assert soap.wrong("CallBacks", found) == ""
    assert soap.text_at(found, "Reply/Error/reason") == "InvalidMessage"


def test_other_addresses_and_methods_are_refused(ivr):
    assert post(ivr, message("a"), path="/elsewhere").status_code == 404
    answer = post(ivr, b"", method="GET")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert post(ivr, message("a"), auth=("HUB", "wrong")).status_code == 401


@pytest.mark.parametrize(("mode", "status"), [("500", 500), ("401", 401), ("400", 400)])
def test_it_fails_as_it_is_told(ivr, mode, status):
    ivr.fail(mode, 1)
    assert [post(ivr, message("a")).status_code for _ in range(2)] == [status, 200]


# -- other answers ---------------------------------------------------------------------------------------


def test_failed_takes_nothing_and_says_why(ivr):
    ivr.answer_with("FAILED", 1)
    found = reply(post(ivr, message("a")))
    assert soap.wrong("CallBacks", found) == ""
    assert soap.reasons_in(found) == "FAILED; NoLineFree: All lines are taken"
    assert ivr.callbacks() == {}
    assert soap.text_at(reply(post(ivr, message("a"))), "Reply/Result") == "OK"  # once, as told


def test_partial_takes_the_first_half(ivr):
    ivr.answer_with("PARTIAL")
    found = reply(post(ivr, message("a", "b", "c", "d")))
    assert (soap.wrong("CallBacks", found), soap.text_at(found, "Reply/Result")) == ("", "PARTIAL")
    assert list(ivr.callbacks()) == ["a", "b"]


def test_an_invalid_answer_is_one(ivr):
    ivr.answer_with("invalid")
    found = reply(post(ivr, message("a")))
    assert "MAYBE" in soap.wrong("CallBacks", found)


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_a_fault_is_one_of_the_version_that_was_spoken(ivr, version):
    ivr.answer_with("fault")
    answer = post(ivr, message("a"), version=version)
    assert (answer.status_code, soap.opened(answer.content).version) == (500, version)
    assert b"Server" in answer.content or b"Receiver" in answer.content


def test_after_a_reset_it_answers_well(ivr):
    ivr.answer_with("FAILED")
    ivr.reset()
    assert soap.text_at(reply(post(ivr, message("a"))), "Reply/Result") == "OK"


def test_its_control_says_how_to_answer(ivr):
    with Control({"ivr": ivr}, {"ivr": ivr.actions}) as control:
        told = requests.post(
            f"{control.url_of('ivr')}/answer", json={"result": "FAILED", "times": 1}, timeout=5
        )
        assert told.json() == {"result": "FAILED", "times": 1}
        assert soap.text_at(reply(post(ivr, message("a"))), "Reply/Result") == "FAILED"
        post(ivr, message("b"))
        said = requests.post(f"{control.url_of('ivr')}/summary", timeout=5).json()
        assert said == {"callbacks": {"b": 1}, "results": {}, "repeats": 0}
        wrong = requests.post(f"{control.url_of('ivr')}/answer", json={"result": "maybe"}, timeout=5)
        assert wrong.status_code == 400
        assert all(one in wrong.json()["detail"] for one in ANSWERS)


# -- what it tells the hub -------------------------------------------------------------------------------


def test_results_are_sent_as_a_valid_message_with_its_log_in(calling, hub):
    post(calling, message("a"))
    assert wait_for(calling.results, seconds=5)
    ((call, found),) = hub.came
    assert call.path == "/crm/soap/ReceiveCallBacksResults"
    assert requests.auth._basic_auth_str("IVR", "secret") == call.headers["authorization"]
    assert soap.wrong("CallBacksResults", found) == ""
    (one,) = results_in(found)
    assert (soap.text_at(one, "mRID"), soap.text_at(one, "csrId")) == ("a", "IVR")
    assert calling.results() == {"a": [RESTORED]}


def test_some_do_not_answer_and_are_called_again(calling, hub):
    keys = [f"c{number}" for number in range(2 * UNANSWERED_ONE_IN)]
    post(calling, message(*keys))
    away = keys[UNANSWERED_ONE_IN - 1 :: UNANSWERED_ONE_IN]
    assert wait_for(lambda: all(RESTORED in calling.results().get(key, []) for key in keys), seconds=5)
    assert [len(results_in(found)) for _, found in hub.came] == [len(keys), len(away)]
    assert {key for key, told in calling.results().items() if told == [NO_ANSWER, RESTORED]} == set(away)


def test_only_a_restoration_restores(calling):
    post(calling, message("a", reason="Estimated restoration changed"))
    assert wait_for(lambda: calling.results() == {"a": [NOT_RESTORED]}, seconds=5)


def test_results_go_again_to_a_hub_that_is_not_there(calling, hub):
    hub.down = 2
    post(calling, message("a"))
    assert wait_for(lambda: calling.results() == {"a": [RESTORED]}, seconds=5)


def test_results_that_the_hub_refuses_are_none(calling, hub):
    hub.refused = {"b"}
    post(calling, message("a", "b"))
    assert wait_for(lambda: calling.results() == {"a": [RESTORED]}, seconds=5)
    assert len(hub.came) == 1
