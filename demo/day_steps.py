"""The steps of a day of the customer programs, in words, and which has to wait for which."""

from collections.abc import Callable

from demo.day_acts import CUSTOMERS, Acts, Plan, new_plan
from demo.day_effects import Seen
from demo.day_places import DayPlaces
from demo.day_story import Script, Step


def programs(places: DayPlaces, *, start: Callable[[str], str], plan: Plan | None = None) -> Script:
    """The day. `start` runs the flow of this identifier and gives the instance's id; `plan`: one of its own, by the
    clock, where None.
    """
    chosen = plan or new_plan(places)
    seen = Seen(places, chosen)
    return Script(
        title="Customer programs, CPMCS and DERMS",
        way="A day of the customer programs, CPMCS ⇄ hub ⇄ DERMS",
        steps=steps(Acts(places, chosen, start), seen),
        story=seen,
    )


def steps(acts: Acts, seen: Seen) -> list[Step]:
    """All of them; a step is begun once those it is `after` are seen at the neighbours."""
    return [*_enrolling(acts, seen), *_an_event(acts, seen), *_files(acts, seen)]


def _enrolling(acts: Acts, seen: Seen) -> list[Step]:
    return [
        Step(
            "enrol",
            f"DERMS enrols {CUSTOMERS} customers",
            f"{CUSTOMERS} pending at CPMCS",
            acts.enrol,
            seen.enrolled,
        ),
        Step(
            "enrolment",
            f"CPMCS tells DERMS of an enrolment with {CUSTOMERS} devices",
            "DERMS has registered them, CPMCS knows",
            acts.synchronise_enrolment,
            seen.registered,
            after=("enrol",),
        ),
        Step(
            "check",
            "CPMCS asks how a device is",
            "DERMS says SUCCESS, CPMCS knows",
            acts.check_device,
            seen.checked,
            after=("enrol",),
        ),
        Step(
            "program",
            "CPMCS tells DERMS of a program's rules",
            "taken, and the sync request is acknowledged",
            acts.synchronise_program,
            seen.program,
        ),
        Step(
            "aggregator",
            "CPMCS tells DERMS of an aggregator",
            "taken, and the sync request is acknowledged",
            acts.synchronise_aggregator,
            seen.aggregator,
        ),
    ]


def _an_event(acts: Acts, seen: Seen) -> list[Step]:
    devices = f"{seen.plan.devices:,} devices"
    return [
        Step(
            "schedule",
            "DERMS schedules a stage of an event",
            "CPMCS has the program event",
            acts.schedule,
            seen.scheduled,
        ),
        Step(
            "begin",
            "DERMS begins the stage",
            "in progress at CPMCS",
            acts.begin,
            seen.in_progress,
            after=("schedule",),
        ),
        Step(
            "reserve",
            f"DERMS reserves {devices} in one file",
            "all reserved at CPMCS, DERMS has its acknowledgement",
            acts.reserve,
            seen.reserved,
            after=("schedule",),
            mails=seen.plan.event,
        ),
        Step(
            "opt-out",
            "A customer opts out of the event at CPMCS",
            "DERMS leaves the device out",
            acts.opt_out,
            seen.opted_out,
            after=("reserve",),
        ),
        Step(
            "away",
            "A customer is away, CPMCS says",
            "DERMS has the device as unavailable",
            acts.be_away,
            seen.unavailable,
        ),
        Step(
            "away-longer",
            "CPMCS changes that time",
            "skipped, as only new ones go to DERMS",
            acts.be_away_longer,
            seen.skipped,
            after=("away",),
        ),
        Step(
            "complete",
            "DERMS completes the stage",
            "completed at CPMCS",
            acts.complete,
            seen.completed,
            after=("begin", "reserve", "opt-out"),
        ),
        Step(
            "outcomes",
            f"DERMS says how {devices} took part",
            "every outcome is at CPMCS, DERMS has its acknowledgement",
            acts.tell_outcomes,
            seen.outcomes,
            after=("complete",),
            mails=seen.plan.outcome_file,
        ),
    ]


def _files(acts: Acts, seen: Seen) -> list[Step]:
    return [
        Step(
            "network",
            f"DERMS sends where {seen.plan.points:,} service points are in the network",
            "the file is at CPMCS, byte for byte",
            acts.send_network,
            seen.network,
            mails=seen.plan.network_file,
        ),
        Step(
            "scores-ftp",
            "CPMCS puts device scores on its file server, the hub is told to fetch them",
            "at DERMS, byte for byte",
            acts.send_scores_by_ftp,
            seen.scores_by_ftp,
            mails=seen.plan.score_file("FTP"),
        ),
        Step(
            "scores-os",
            "CPMCS puts device scores into its object storage, the hub is told to fetch them",
            "at DERMS, byte for byte",
            acts.send_scores_by_bucket,
            seen.scores_by_bucket,
            mails=seen.plan.score_file("OS"),
        ),
    ]
