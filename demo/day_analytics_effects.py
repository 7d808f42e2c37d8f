"""What a day of the analytics has to bring about, looked for at OUAI, DACS, DERMS and the mail server."""

from collections.abc import Callable
from hashlib import sha256

from demo.day_analytics import (
    STOPS_AT,
    AnalyticsActs,
    AnalyticsPlaces,
    AnalyticsPlan,
    new_analytics_plan,
)
from demo.day_story import Script, Step, Story, arrived, renamed
from demo.derms_messages import SUCCESS
from demo.effects import Effect, count_of, error_mails
from demo.ouai import ENROLMENTS, FEEDBACK, FORECASTS, KWH, OUTCOMES
from demo.shelf import Shelf
from demo.sync_requests import ERROR, SYNCHRONISED, SyncRequest

FEEDBACK_STEP = "feedback"


class AnalyticsSeen(Story):
    """The effects of each step as they stand now."""

    def __init__(self, places: AnalyticsPlaces, plan: AnalyticsPlan) -> None:
        """Nothing is seen yet."""
        super().__init__((places.dacs, places.derms), places.mail)
        self.plan = plan
        self._at = places

    def instances(self) -> set[str]:
        """All but the run that DACS has stopped: of that an error mail has to tell."""
        return super().instances() - {self.instance_of(FEEDBACK_STEP)}

    def extracted_by_ftp(self) -> list[Effect]:
        """OUAI has the extract of DACS's file server, where it is renamed."""
        return self._extracted("FTP", self._at.extracts)

    def extracted_by_bucket(self) -> list[Effect]:
        """OUAI has the extract of DACS's object storage, where it is renamed."""
        return self._extracted("OS", self._at.extract_bucket)

    def _extracted(self, place: str, shelf: Shelf) -> list[Effect]:
        name, there = self.plan.extract_file(place), self._at.ouai.shelf(ENROLMENTS)
        return [
            arrived(f"Enrolment extracts at OUAI ({place})", there, name, self.plan.extract(place)),
            renamed(f"Enrolment extracts at DACS ({place})", shelf, name),
        ]

    def outcomes(self) -> list[Effect]:
        """OUAI has the outcomes, and DERMS one acknowledgement."""
        plan, key = self.plan, self.plan.outcome_message
        told = [
            one
            for one in self._at.derms.records.messages("deviceOutcomeAck")
            if one["messageId"] == key and one["ackType"] == SUCCESS
        ]
        there = self._at.ouai.shelf(OUTCOMES)
        return [
            arrived("Outcome files at OUAI", there, plan.outcome_file, plan.outcome),
            count_of("Outcome files of OUAI acknowledged to DERMS", 1, len(told)),
        ]

    def avoided(self) -> list[Effect]:
        """DACS has what OUAI says was avoided."""
        plan = self.plan
        return [
            arrived("kWh avoided at DACS", self._at.kwh_bucket, plan.kwh_file, plan.kwh),
            renamed("kWh avoided at OUAI", self._at.ouai.shelf(KWH), plan.kwh_file),
        ]

    def handed_in(self) -> list[Effect]:
        """DACS has it on its file server."""
        return [arrived("kWh avoided at DACS, by URL", self._at.kwh, self.plan.url_file, self.plan.kwh)]

    def forecast(self) -> list[Effect]:
        """DERMS has OUAI's forecast, once."""
        name = self.plan.forecast_file
        there = self._at.derms.forecasts.scores().get(name)
        whole = there is not None and there.sha256 == sha256(self.plan.forecast).hexdigest()
        return [
            count_of("Load forecasts at DERMS, byte for byte", 1, there.times if there and whole else 0),
            renamed("Load forecasts at OUAI", self._at.ouai.shelf(FORECASTS), name),
        ]

    def stopped(self) -> list[Effect]:
        """DACS was told of each enrolment before the one it did not take, and the file's name says which that is."""
        stem, _, extension = self.plan.feedback_file.rpartition(".")
        name = f"{stem}_ErrInRcd_{STOPS_AT}.{extension}"
        instance = self.instance_of(FEEDBACK_STEP)
        mails = error_mails(self._at.mail, {instance} if instance else set())
        return [
            count_of("Enrolments told to DACS before the one it refused", STOPS_AT - 1, self._before()),
            count_of(f"Feedback files at OUAI renamed to …_ErrInRcd_{STOPS_AT}", 1, self._was_named(name)),
            count_of("Error mails of the run that stopped", 1, len(mails)),
        ]

    def _before(self) -> int:
        """How many DACS had taken when it refused; 0 where it has refused none."""
        own = {key: number for number, key in enumerate(self.plan.sync_requests, 1)}
        calls = [
            (own[key], one["status"])
            for one in self._at.dacs.received()
            if (key := one["path"].rpartition("/")[2]) in own
        ]
        refused = (STOPS_AT, 500)
        return calls.index(refused) if refused in calls else 0

    def _was_named(self, name: str) -> int:
        """1 where the file once had this name: OUAI was asked to make it, and did."""
        return int(
            any(
                (one["operation"], one["bucket"], one["key"], one["status"]) == ("PUT", FEEDBACK, name, 200)
                for one in self._at.ouai.received()
            )
        )

    def fed_back(self) -> list[Effect]:
        """DACS was told of every enrolment once, of the refused ones with the reason."""
        plan = self.plan
        taken = self._at.dacs.taken()
        found = {one.id: one for one in self._at.dacs.sync_requests.find() if one.id in plan.sync_requests}
        times = sum(taken[key].times for key in found if key in taken)
        positive = [key for key, one in found.items() if one.status == SYNCHRONISED]
        negative = [key for key, text in plan.refusals.items() if _says(found.get(key), text)]
        refused = len(plan.refusals)
        return [
            count_of("Enrolments told to DACS, each once", plan.enrolments, times),
            count_of("Enrolments synchronised at DACS", plan.enrolments - refused, len(positive)),
            count_of("Enrolments in error at DACS, with the reason", refused, len(negative)),
            renamed("Feedback files at OUAI", self._at.ouai.shelf(FEEDBACK), plan.feedback_file),
        ]


def _says(one: SyncRequest | None, text: str) -> bool:
    return one is not None and one.status == ERROR and any(text in said for said in one.texts)


def analytics(
    places: AnalyticsPlaces, *, start: Callable[[str], str], plan: AnalyticsPlan | None = None
) -> Script:
    """The day. `start` runs the flow of this identifier and gives the instance's id; `plan`: one of its own, by the
    clock, where None.
    """
    chosen = plan or new_analytics_plan(places)
    acts, seen = AnalyticsActs(places, chosen, start), AnalyticsSeen(places, chosen)
    return Script(
        title="Analytics, OUAI, DACS and DERMS",
        way="A day of the analytics, DACS, DERMS ⇄ hub ⇄ OUAI",
        steps=[*_to_ouai(acts, seen), *_from_ouai(acts, seen)],
        story=seen,
    )


def _to_ouai(acts: AnalyticsActs, seen: AnalyticsSeen) -> list[Step]:
    plan = seen.plan
    return [
        Step(
            "extract-ftp",
            "DACS puts an enrolment extract on its file server, the hub is told to fetch it",
            "at OUAI, byte for byte",
            acts.extract_by_ftp,
            seen.extracted_by_ftp,
            mails=plan.extract_file("FTP"),
        ),
        Step(
            "extract-os",
            "DACS puts an enrolment extract into its object storage, the hub is told to fetch it",
            "at OUAI, byte for byte",
            acts.extract_by_bucket,
            seen.extracted_by_bucket,
            mails=plan.extract_file("OS"),
        ),
        Step(
            "outcomes",
            f"DERMS says to the analytics how {plan.devices:,} devices took part",
            "the file is at OUAI, DERMS has its acknowledgement",
            acts.tell_outcomes,
            seen.outcomes,
            mails=plan.outcome_file,
        ),
    ]


def _from_ouai(acts: AnalyticsActs, seen: AnalyticsSeen) -> list[Step]:
    plan = seen.plan
    return [
        Step(
            "kwh",
            "OUAI puts the kWh avoided, the hub is told to fetch them",
            "at DACS, byte for byte",
            acts.put_kwh,
            seen.avoided,
            mails=plan.kwh_file,
        ),
        Step(
            "by-url",
            "The flow that the others call is handed a file by its URL",
            "on DACS's file server, byte for byte",
            acts.hand_in_by_url,
            seen.handed_in,
        ),
        Step(
            "forecast",
            "OUAI puts a load reduction forecast, the hub is told to fetch it",
            "at DERMS, byte for byte",
            acts.put_forecast,
            seen.forecast,
            mails=plan.forecast_file,
        ),
        Step(
            FEEDBACK_STEP,
            f"OUAI says what became of {plan.enrolments} enrolments, DACS cannot take record {STOPS_AT}",
            f"the file stops there as …_ErrInRcd_{STOPS_AT}",
            acts.put_feedback,
            seen.stopped,
            mails=plan.feedback_file,
        ),
        Step(
            "feedback-goes-on",
            "DACS can again, the hub is told to go on",
            f"from record {STOPS_AT} to the end, each told once",
            acts.go_on_with_feedback,
            seen.fed_back,
            after=(FEEDBACK_STEP,),
            mails=plan.feedback_file,
        ),
    ]
