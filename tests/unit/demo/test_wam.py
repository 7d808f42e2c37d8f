"""WAM makes asset locations of service points and acknowledges each a moment later (seed 000)."""

import threading

import pytest
import requests

from demo.control import Control
from demo.hub_caller import Hub
from demo.neighbour import wait_for
from demo.wam import ACKNOWLEDGEMENT, CATALOG, LOCATION_TYPES, Wam, acknowledgement
from tests.unit.demo.test_derms import TakesAll, quiet

USER = ("HUB", "wam-password")
PATH = "/rest/apis/asset/assetLocation"
ADDRESS = {
    "address1": "12 Rowan Lane",
    "city": "Amberford",
    "state": "OR",
    "postal": "97990",
    "country": "USA",
}
LOCATION = {
    "externalId": "7000000000",
    "locationType": LOCATION_TYPES[0],
    "parentExternalId": "6000000001",
    "description": "Electric, residential",
    "address": {**ADDRESS, "latitude": 44.95, "longitude": -123.05},
    "status": "ACTIVE",
    "syncRequestId": "40000000000001",
}
TEXT = "There is no such street in Amberford"


@pytest.fixture
def hub():
    with TakesAll(username="WAM", password="secret", slow_seconds=0.3) as running:
        yield running


@pytest.fixture
def wam():
    with Wam(username=USER[0], password=USER[1], slow_seconds=0.3) as running:
        yield running


@pytest.fixture
def answering(hub):
    """A WAM that speaks to the hub by itself, and soon."""
    with Wam(
        hub=Hub(hub.url, "WAM", "secret"),
        refuse={"7000000009": TEXT},
        refuse_later=True,
        ack_seconds=0.03,
        retry_seconds=0.03,
        max_tries=5,
    ) as running:
        yield running


def post(wam, *, key="", auth=USER, timeout=5, **message):
    headers = {"Idempotency-Key": key} if key else {}
    body = {**LOCATION, **message}
    return requests.post(wam.url + PATH, json=body, headers=headers, auth=auth, timeout=timeout)


# Seed 000: "syncs the information to ... WAM to create the asset location".
def test_a_service_point_becomes_an_asset_location(wam):
    answer = post(wam)
    (made,) = wam.locations().values()
    assert (answer.status_code, answer.json()) == (
        201,
        {"assetLocationId": made.id, "externalId": LOCATION["externalId"]},
    )
    assert (made.external_id, made.message, made.times) == (LOCATION["externalId"], LOCATION, 1)
    assert wam.operations.wrong("AssetLocationTaken", answer.json()) == ""


def test_one_that_comes_again_is_changed_and_keeps_its_id(wam):
    first = post(wam)
    second = post(wam, status="INACTIVE")
    (made,) = wam.locations().values()
    assert (second.status_code, second.json()) == (200, first.json())
    assert (made.message["status"], made.times, wam.summary()["comeAgain"]) == ("INACTIVE", 2, 1)


def test_two_service_points_are_two_asset_locations(wam):
    ids = {post(wam, externalId=key).json()["assetLocationId"] for key in ("1", "2")}
    assert (len(ids), list(wam.locations())) == (2, ["1", "2"])


def test_a_key_it_has_seen_is_answered_as_before(wam):
    answers = [post(wam, key="1:a") for _ in range(2)]
    assert [(one.status_code, one.json()) for one in answers] == [(201, answers[0].json())] * 2
    assert (wam.locations()[LOCATION["externalId"]].times, wam.summary()["repeats"]) == (1, 1)


def without(name):
    return {key: value for key, value in LOCATION.items() if key != name}


REFUSALS = [
    *((without(name), name) for name in ("externalId", "parentExternalId", "address", "syncRequestId")),
    ({**LOCATION, "locationType": "E-RES"}, "locationType"),
    ({**LOCATION, "status": "R"}, "status"),
    ({**LOCATION, "syncRequestId": "4" * 15}, "syncRequestId"),
    ({**LOCATION, "spId": "7"}, "spId"),
    ({**LOCATION, "address": {}}, "address"),
    ({**LOCATION, "address": {**ADDRESS, "latitude": 91}}, "address/latitude"),
    ({**LOCATION, "address": {**ADDRESS, "latitude": None}}, "address/latitude"),
    ({**LOCATION, "description": "x" * 255}, "description"),
]


@pytest.mark.parametrize(("body", "named"), REFUSALS)
def test_what_its_schema_or_code_lists_do_not_allow_is_refused_and_the_place_named(wam, body, named):
    answer = requests.post(wam.url + PATH, json=body, auth=USER, timeout=5)
    assert (answer.status_code, named in answer.json()["detail"]) == (400, True)
    assert (wam.locations(), wam.refused()) == ({}, [])


def test_an_unknown_location_type_is_named_with_those_there_are(wam):
    detail = post(wam, locationType="E-EVC").json()["detail"]
    assert "'E-EVC'" in detail
    assert all(code in detail for code in LOCATION_TYPES)


def test_its_location_types_can_be_others():
    with Wam(location_types=["POLE"]) as wam:
        assert [post(wam, locationType=code).status_code for code in ("POLE", LOCATION_TYPES[0])] == [
            201,
            400,
        ]


# Seed 000: "sends back a positive acknowledgment".
def test_it_acknowledges_an_asset_location_by_itself(answering, hub):
    key = post(answering).json()["assetLocationId"]
    assert quiet(lambda: hub.came, 1)
    ((path, message, *_),) = hub.came
    assert path.endswith(f"/{ACKNOWLEDGEMENT.identifier}/1.0/{ACKNOWLEDGEMENT.resource}")
    assert message == {
        "syncRequestId": LOCATION["syncRequestId"],
        "externalId": LOCATION["externalId"],
        "ackType": "SUCCESS",
        "assetLocationId": key,
    }
    assert answering.operations.wrong("ServicePointAcknowledgement", message) == ""
    assert answering.summary()["acknowledged"] == {"SUCCESS": 1}


# Seed 000: "In case any errors are encountered ... then a negative acknowledgment is sent".
def test_one_that_it_refuses_is_taken_and_acknowledged_as_an_error(answering, hub):
    assert post(answering, externalId="7000000009").status_code == 201
    assert quiet(lambda: hub.came, 1)
    ((_, message, *_),) = hub.came
    assert (message["ackType"], message["errors"]) == ("ERROR", [{"messageText": TEXT}])
    assert "assetLocationId" not in message
    assert answering.operations.wrong("ServicePointAcknowledgement", message) == ""
    assert (answering.locations(), answering.summary()["refused"]) == ({}, ["7000000009"])


def test_an_unknown_location_type_can_be_refused_later(answering, hub):
    assert post(answering, locationType="E-EVC").status_code == 201
    assert quiet(lambda: hub.came, 1)
    message = hub.came[0][1]
    assert (message["ackType"], "'E-EVC'" in message["errors"][0]["messageText"]) == ("ERROR", True)


# Seed 000: "so that the user/system can possibly fix the issue and retry to send the message".
def test_one_that_was_put_right_is_made_under_the_id_it_was_told(answering, hub):
    first = post(answering, locationType="E-EVC").json()
    second = post(answering)
    assert (second.status_code, second.json()) == (201, first)
    assert quiet(lambda: hub.came, 2)
    assert sorted(message["ackType"] for _, message, *_ in hub.came) == ["ERROR", "SUCCESS"]


def test_it_refuses_until_it_is_told_to_accept(answering):
    answering.refuse("1", "Not yet")
    post(answering, externalId="1")
    answering.accept("1")
    answering.accept("unknown")
    post(answering, externalId="1")
    assert (len(answering.refused()), list(answering.locations())) == (1, ["1"])
    with pytest.raises(ValueError, match="text is empty"):
        answering.refuse("1", "")


@pytest.mark.parametrize("mode", ["500", "down"])
def test_an_acknowledgement_the_hub_does_not_take_is_sent_again_unchanged(answering, hub, mode):
    hub.fail(mode, 2)
    post(answering)
    assert quiet(lambda: hub.came, 1)
    tries = [one for one, _ in answering.outbox.answers()]
    assert (len(tries), all(one is tries[0] for one in tries)) == (3, True)
    assert answering.summary()["acknowledged"] == {"SUCCESS": 1}


@pytest.mark.parametrize("mode", ["400", "401"])
def test_an_acknowledgement_the_hub_refuses_is_not_sent_again(answering, hub, mode):
    hub.fail(mode, 1)
    post(answering)
    assert quiet(answering.outbox.answers, 1)
    assert ([answer.status for _, answer in answering.outbox.answers()], hub.came) == ([int(mode)], [])


def test_a_hub_that_stays_away_is_given_up_after_so_many_tries(answering, hub):
    hub.fail("500")
    post(answering)
    assert quiet(answering.outbox.answers, 5)


def test_a_repeated_key_is_acknowledged_once(answering, hub):
    for _ in range(3):
        post(answering, key="1:a")
    assert quiet(lambda: hub.came, 1)


def test_without_a_hub_it_keeps_still_until_it_has_one(wam, hub):
    post(wam, externalId="1")
    wam.hub = Hub(hub.url, "WAM", "secret")
    assert wam.hub.url == hub.url
    post(wam, externalId="2")
    assert wait_for(lambda: hub.came, seconds=5)
    assert [message["externalId"] for _, message, *_ in hub.came] == ["2"]


@pytest.mark.parametrize("mode", ["401", "500", "400"])
def test_status_modes_change_nothing(wam, mode):
    wam.fail(mode, 1)
    assert post(wam).status_code == int(mode)
    assert wam.summary() == Wam().summary()


def test_down_slow_and_cut_strike_too(wam):
    wam.fail("down", 1)
    with pytest.raises(requests.ConnectionError):
        post(wam)
    assert wam.summary() == Wam().summary()
    wam.fail("slow", 1)
    with pytest.raises(requests.ReadTimeout):
        post(wam, timeout=0.1)
    wam.fail("cut", 1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        post(wam, externalId="9", key="1:b")
    assert post(wam, externalId="9", key="1:b").status_code == 201
    assert wam.locations()["9"].times == 1


def test_the_wrong_password_is_refused(wam):
    assert post(wam, auth=("HUB", "wrong")).status_code == 401


def test_many_at_once_have_ids_of_their_own(wam):
    threads = [
        threading.Thread(target=post, args=(wam,), kwargs={"externalId": str(n % 6)}) for n in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = wam.locations().values()
    assert (len({one.id for one in found}), {one.times for one in found}) == (6, {4})


def test_its_control_refuses_and_accepts(wam):
    with Control({"wam": wam}, {"wam": wam.actions}) as control:

        def tell(verb, **told):
            return requests.post(f"{control.url_of('wam')}/{verb}", json=told, timeout=5)

        assert tell("refuse", externalId="1", text=TEXT).json() == {"externalId": "1", "text": TEXT}
        assert tell("refuse", externalId="1").status_code == 400
        post(wam, externalId="1")
        assert tell("accept", externalId="1").status_code == 200
        post(wam, externalId="1")
        summary = tell("summary").json()
    assert (summary["refused"], list(summary["assetLocations"])) == (["1"], ["1"])


def test_the_catalog_and_the_health_check_are_there(wam):
    catalog = requests.get(f"{wam.url}/openapi.json", auth=USER, timeout=5).json()
    health = requests.get(f"{wam.url}/rest/apis/common/system/healthCheck/", auth=USER, timeout=5)
    names = {one["operationId"] for item in catalog["paths"].values() for one in item.values()}
    assert names == set(wam.does) == {"W1-AssetLocation", "F1-HealthCheckRest"}
    assert (catalog["servers"], health.status_code, CATALOG.exists()) == ([{"url": wam.url}], 200, True)


def test_an_acknowledgement_names_every_error():
    told = acknowledgement("1", "2", errors=["a", "b"])
    assert (told["ackType"], [one["messageText"] for one in told["errors"]]) == ("ERROR", ["a", "b"])
