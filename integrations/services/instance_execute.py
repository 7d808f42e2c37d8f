"""Running an instance while its caller waits."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from integrations.engine.faults import Busy, Fault, LeaseLost
from integrations.engine.leases import Claim, Released
from integrations.engine.registry import spec_for
from integrations.engine.runner import message_of, perform
from integrations.models import Instance


@dataclass(frozen=True)
class Answer:
    """What the caller gets: an HTTP status and a JSON body."""

    status: int
    body: Any


def instance_execute(*, instance: Instance) -> Answer:
    """Run an instance that `instance_submit` returned claimed; its answer, or the Fault it ended with.

    A fault that has an answer of its own for the caller is answered so; the instance has failed all the same.
    """
    spec = spec_for(instance.flow.identifier)
    claim = Claim(instance.pk, instance.fence)
    try:
        body = perform(instance, spec, claim, partial(message_of, instance, spec))
    except Fault as fault:
        if fault.answer is None:
            raise
        return Answer(200, fault.answer)
    except (LeaseLost, Released):
        raise Busy(
            f"Instance {instance.pk} could not be ended by this process", hint="Send the same message again."
        ) from None
    return Answer(200, body)
