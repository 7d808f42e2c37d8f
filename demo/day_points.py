"""A day of the service points: those of CC&B become asset locations at WAM (seed 000)."""

import time
from dataclasses import dataclass
from functools import cached_property

from demo.acknowledgements import Answered
from demo.ccb import Ccb, service_point_id
from demo.day_story import Message, Script, Step, Story
from demo.effects import Effect, count_of
from demo.mail import MailServer
from demo.sync_requests import SYNCHRONISED
from demo.wam import Wam

PREMISE, POINTS = 0, 3
WRONG_PREMISE = 1
# A type that CC&B and the hub's lookup know, and this WAM does not; and the one that was meant.
WRONG_TYPE, RIGHT_TYPE = "W-COM", "W-RES"
NOT_AT_WAM = "WATER-COM"
_CONFLICT = 409
_LONGEST_WAIT, _POLL_SECONDS = 5.0, 0.1


@dataclass(frozen=True, slots=True)
class PointsPlaces:
    """Who acts, and where it is looked for."""

    ccb: Ccb
    wam: Wam
    mail: MailServer


class PointsPlan:
    """The sync requests of one day, made at CC&B when they are first asked for."""

    def __init__(self, ccb: Ccb) -> None:
        """`ccb`: it numbers them."""
        self._ccb = ccb

    @cached_property
    def good(self) -> Message:
        """A premise with three service points."""
        return self._ccb.service_point_message(PREMISE, POINTS)

    @cached_property
    def wrong(self) -> Message:
        """A premise whose service point has the wrong type."""
        return self._ccb.service_point_message(WRONG_PREMISE, types=(WRONG_TYPE,))

    def corrected(self) -> Message:
        """The same with the right type, under the same sync request."""
        key = self.wrong["syncRequestId"]
        return self._ccb.service_point_message(WRONG_PREMISE, types=(RIGHT_TYPE,), sync_request=key)


class PointsActs:
    """Each act once, and what the hub said to it."""

    def __init__(self, places: PointsPlaces, plan: PointsPlan) -> None:
        """`plan`: what is sent."""
        self._at = places
        self._plan = plan

    def send_premise(self) -> Answered:
        """CC&B sends a premise."""
        return self._at.ccb.send(self._plan.good)

    def send_wrong(self) -> Answered:
        """CC&B sends one that WAM takes at first and refuses later."""
        return self._at.ccb.send(self._plan.wrong)

    def send_corrected(self) -> Answered:
        """A person puts it right at CC&B and sends it again.

        The hub takes another message of the same id once the refusal is settled there: a person is never as quick
        as to come before, this one may be.
        """
        self._at.ccb.retry(self._plan.wrong["syncRequestId"])
        deadline = time.monotonic() + _LONGEST_WAIT
        message = self._plan.corrected()
        while (answer := self._at.ccb.send(message)).status == _CONFLICT and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return answer


class PointsSeen(Story):
    """The effects of each step as they stand now."""

    def __init__(self, places: PointsPlaces, plan: PointsPlan) -> None:
        """Nothing is seen yet."""
        super().__init__((places.ccb, places.wam), places.mail)
        self._at = places
        self._plan = plan

    def instances(self) -> set[str]:
        """Those of CC&B's messages, and of WAM's acknowledgements of them."""
        keys = {self._plan.good["syncRequestId"], self._plan.wrong["syncRequestId"]}
        acknowledged = self._at.wam.outbox.answers()
        own = {answer.instance for one, answer in acknowledged if one.message["syncRequestId"] in keys}
        return super().instances() | own - {""}

    def synchronised(self) -> list[Effect]:
        """WAM has an asset location for each service point, and CC&B knows them."""
        points = [service_point_id(PREMISE, number) for number in range(POINTS)]
        key = self._plan.good["syncRequestId"]
        return [
            count_of("Asset locations at WAM", POINTS, len(self._located(key, points))),
            self._told("Premises synchronised at CC&B, with their asset locations", key, points),
        ]

    def refused(self) -> list[Effect]:
        """WAM has said no, and CC&B was told why."""
        key = self._plan.wrong["syncRequestId"]
        refused = [one for one in self._at.wam.refused() if one["syncRequestId"] == key]
        taken = self._at.ccb.taken().get(key)
        told = [one for one in taken.messages if one["hasError"] and NOT_AT_WAM in str(one)] if taken else []
        return [
            count_of("Service points that WAM refused later", 1, len(refused)),
            count_of("Premises put into error at CC&B, with the reason", 1, len(told)),
        ]

    def corrected(self) -> list[Effect]:
        """WAM has its asset location, and CC&B's sync request is no longer in error."""
        key, points = self._plan.wrong["syncRequestId"], [service_point_id(WRONG_PREMISE)]
        return [
            count_of("Corrected asset locations at WAM", 1, len(self._located(key, points))),
            self._told("Corrected premises synchronised at CC&B", key, points),
        ]

    def _located(self, key: str, points: list[str]) -> set[str]:
        """The ids of the asset locations that were made for these service points, each once."""
        found = self._at.wam.locations()
        return {
            found[one].id
            for one in points
            if one in found and found[one].message["syncRequestId"] == key and found[one].times == 1
        }

    def _told(self, what: str, key: str, points: list[str]) -> Effect:
        status = self._at.ccb.status(key)
        located = self._located(key, points)
        right = len(located) == len(points) and set(self._at.ccb.asset_locations(key)) == located
        detail = f"the sync request {key} is {status}"
        return count_of(what, 1, int(right and status == SYNCHRONISED), detail)


def service_points(places: PointsPlaces) -> Script:
    """The day."""
    plan = PointsPlan(places.ccb)
    acts, seen = PointsActs(places, plan), PointsSeen(places, plan)
    return Script(
        title="Service points, CC&B and WAM",
        way="A day of the service points, CC&B ⇄ hub ⇄ WAM",
        steps=_steps(acts, seen),
        story=seen,
    )


def _steps(acts: PointsActs, seen: PointsSeen) -> list[Step]:
    return [
        Step(
            "premise",
            f"CC&B sends a premise with {POINTS} service points",
            "WAM has acknowledged their asset locations, CC&B is synchronised",
            acts.send_premise,
            seen.synchronised,
        ),
        Step(
            "wrong",
            "CC&B sends a service point of a type that WAM does not know",
            "refused by WAM, the sync request is in error",
            acts.send_wrong,
            seen.refused,
        ),
        Step(
            "corrected",
            "A person puts it right at CC&B and sends it again",
            "at WAM, CC&B is synchronised",
            acts.send_corrected,
            seen.corrected,
            after=("wrong",),
        ),
    ]
