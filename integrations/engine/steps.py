"""Intent before effect: a step is recorded, done, recorded as done (reliability rule 6).

A step found half done after a crash is UNKNOWN: by the flow's policy it is sent again with the same message
id, or the instance is held for a person.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from integrations.engine.crash import crash
from integrations.engine.faults import Fault, fault_of
from integrations.engine.rows import change_rows, insert_unless_there
from integrations.engine.spec import HOLD
from integrations.engine.stream import Kind, Level
from integrations.models import Instance, Resubmission, Step

if TYPE_CHECKING:
    from integrations.engine.context import Run

State = Step.State


def effect_key_of(instance: Instance) -> str:
    """What the Idempotency-Keys of an instance's effects begin with: the same for every repeat of one message, replays
    too; another one once a person has edited it, or the target would take the edited message for a repeat."""
    first = instance.replay_of_id or instance.pk
    if instance.round == 1 and instance.replay_of_id is None:
        return str(first)
    edited = Resubmission.objects.filter(instance=first, message_after__isnull=False)
    last = edited.order_by("-round").values_list("round", flat=True).first()
    return f"{first}.{last}" if last else str(first)


class Held(Fault):
    """An effect may or may not have happened, and only a person can tell."""

    code = "HUB-UNKNOWN-EFFECT"
    status = 502
    title = "It is not known whether the target took it"


def take_step(
    run: "Run", key: str, effect: Callable[[bool], Any], verify: Callable[[], Any] | None = None
) -> Any:
    """Do `effect` once: what an earlier attempt recorded as done is returned, not repeated.

    `effect` is told whether this is a repeat after UNKNOWN, and returns a JSON value. A fault marks the step
    FAILED, or UNKNOWN where the effect may have happened. `verify`, where a target can be asked, is called for
    a step of unknown end: its result if the effect is there, None if it is not.
    """
    step, repeat = _begin(run, key, verify)
    if step.state == State.DONE:
        run.stream.say(Kind.NOTED, f"{key} was done in attempt {step.attempt}; not repeated")
        return step.result
    crash("after_intent")
    run.claim.check()
    try:
        result = effect(repeat)
    except Exception as error:
        fault = fault_of(error)
        _end(run, step, State.UNKNOWN if fault.uncertain else State.FAILED, {"fault": fault.text})
        raise
    crash("after_effect")
    _end(run, step, State.DONE, result)
    return result


def keep_step(run: "Run", key: str, work: Callable[[], Any]) -> Any:
    """Do `work` on the hub's own tables once: it and its record are one transaction, so neither is there alone.

    What an earlier attempt recorded is returned. `work` returns a JSON value; None says that there was nothing to do,
    of which nothing is recorded.
    """
    with run.claim.writing():
        known = Step.objects.filter(instance=run.instance, key=key).first()
        if known is not None:
            return known.result
        result = work()
        if result is not None:
            Step.objects.create(
                instance=run.instance,
                key=key,
                attempt=run.claim.fence,
                state=State.DONE,
                result=result,
                ended_at=timezone.now(),
            )
    return result


def is_done(run: "Run", key: str) -> bool:
    """Whether an earlier attempt has done this step."""
    return Step.objects.filter(instance=run.instance, key=key, state=State.DONE).exists()


def _begin(run: "Run", key: str, verify: Callable[[], Any] | None) -> tuple[Step, bool]:
    """The step's row with its intent committed, and whether it repeats one whose end is not known."""
    made = Step(instance=run.instance, key=key, attempt=run.claim.fence)
    with transaction.atomic():
        run.stream.flush()
        if insert_unless_there(made):
            return made, False
    step = Step.objects.get(instance=run.instance, key=key)
    if step.state == State.DONE:
        return step, False
    repeat = step.state in (State.INTENT, State.UNKNOWN)
    if repeat and _verified(run, step, verify):
        return step, False
    if repeat and verify is None:
        _settle_unknown(run, step)
    Step.objects.filter(pk=step.pk).update(
        state=State.INTENT,
        attempt=run.claim.fence,
        started_at=timezone.now(),
        ended_at=None,
        repeats=F("repeats") + (1 if repeat else 0),
    )
    step.state = State.INTENT
    return step, repeat


def _verified(run: "Run", step: Step, verify: Callable[[], Any] | None) -> bool:
    """Ask the target whether the effect of an earlier try is there; if so the step is done."""
    found = verify() if verify is not None else None
    if found is None:
        return False
    run.stream.say(Kind.NOTED, f"{step.key} had reached the target in attempt {step.attempt}; not repeated")
    _end(run, step, State.DONE, found)
    step.state, step.result = State.DONE, found
    return True


def _settle_unknown(run: "Run", step: Step) -> None:
    """Say that the end of an earlier try is not known; hold where the flow's policy is to ask a person."""
    said = f"It is not known whether {step.key} reached the target in attempt {step.attempt}"
    if run.spec.when_unknown == HOLD and run.instance.cause != "replay" and not run.person_decided:
        Step.objects.filter(pk=step.pk).update(state=State.UNKNOWN)
        raise Held(said, hint="Ask the target's people, then resubmit (sends it again) or discard.")
    run.stream.say(Kind.NOTED, f"{said}; it is sent again with the same message id", level=Level.WARNING)


def _end(run: "Run", step: Step, state: str, result: Any) -> None:
    """Record how the step ended, if the instance is still this holder's."""
    with transaction.atomic():
        if run.claim.hold():
            this = {"instance": run.instance.pk, "key": step.key}
            change_rows(Step, this, state=state, result=result, ended_at=timezone.now())
