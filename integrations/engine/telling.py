"""Telling a sender that an attempt failed, so that it sends the same message again (seed 002: MAX_RETRIES of DERMS).

The sender may be quicker than the record of the failure: between the two, a repeated message has to wait for the end.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from integrations.engine.faults import Busy, Fault, fault_of
from integrations.models import Instance, Step

if TYPE_CHECKING:
    from integrations.engine.context import Run

Done = TypeVar("Done")

POSITIVE = "positive acknowledgement"
TOLD = "negative acknowledgement of attempt "
LONGEST_WAIT, LOOK_EVERY = 3.0, 0.05  # seconds


def acknowledged(run: "Run", work: Callable[[], Done], tell: Callable[[str, Done | Fault], object]) -> Done:
    """Do the work and have its sender told of the end, `tell(key, what)`: what came of it, or the fault it ended with.

    One acknowledgement an attempt, never a positive one after a negative one; a positive one that fails is tried
    again by itself, as all else is done by then.
    """
    try:
        done = work()
    except Exception as error:
        fault = fault_of(error)
        if not Step.objects.filter(
            instance=run.instance, key=POSITIVE
        ).exists():  # who was told yes is not told no
            tell_of_failure(run, fault, lambda key: tell(key, fault))
        raise fault from error
    tell(POSITIVE, done)
    return done


def tell_of_failure(run: "Run", fault: Fault, tell: Callable[[str], object]) -> None:
    """Have the sender told by `tell(key)`, a step; the fault is then final here: who was told sends it again.

    Where it cannot be told, the fault stays what it was, and a passing one is tried again by itself.
    """
    try:
        tell(f"{TOLD}{run.claim.fence}")
    except Exception as error:  # noqa: BLE001  (anything: the fault it was to tell of is what counts)
        run.note(f"The sender could not be told of the failure: {fault_of(error).text}", warning=True)
        return
    fault.passing = False
    fault.hint = (
        fault.hint or "The sender was told, and sends the same message again if it is to be tried again."
    )


def await_end_of_told(instance: Instance) -> None:
    """Wait until a running instance whose sender was told of its failure has ended; Busy where that takes long."""
    told = Step.objects.filter(instance=instance, key=f"{TOLD}{instance.fence}")
    if instance.status != Instance.Status.RUNNING or not told.exists():
        return
    deadline = time.monotonic() + LONGEST_WAIT
    while instance.status == Instance.Status.RUNNING:
        if time.monotonic() > deadline:
            raise Busy(
                f"Instance {instance.pk} has failed and is about to end",
                hint="Send the same message again.",
                retry_after=1,
            )
        time.sleep(LOOK_EVERY)
        instance.refresh_from_db(fields=["status", "round", "ended_at"])
