"""Whether an instance can be sent again, in a sentence that a person can act on."""

from integrations.models import Flow, Instance
from integrations.services.instance_resubmit import resubmit_refusal

CALLER_IS_GONE = (Flow.Pattern.SYNCHRONOUS, Flow.Pattern.CHILD, Flow.Pattern.LOCAL)


def resubmittable(instance: Instance) -> tuple[bool, str]:
    """Whether it can be resubmitted, and the one line that says so or why not."""
    refusal = resubmit_refusal(instance)
    if refusal:
        return False, f"Cannot be resubmitted: {refusal}."
    if instance.flow.pattern in CALLER_IS_GONE:
        return (
            True,
            "Can be replayed: its caller is gone, so a new instance, marked as a replay, does the work.",
        )
    return True, "Can be resubmitted: what was acknowledged before is not repeated."
