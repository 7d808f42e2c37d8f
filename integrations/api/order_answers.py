"""What is answered to an order about errors."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.reverse import reverse

from integrations.api.monitoring import links_to
from integrations.api.shapes import instance_links
from integrations.models import BulkResubmission, Instance

Refusals = Sequence[tuple[Instance, str]]


def sent_again(request: Request, failed: Instance, again: Instance) -> dict[str, Any]:
    """A failed instance and the one that does its work now."""
    return {
        "failedInstanceId": str(failed.pk),
        "resubmittedInstanceId": str(again.pk),
        "links": instance_links(request, again),
    }


def resubmitted(
    request: Request,
    job: BulkResubmission | None,
    sent: Sequence[dict[str, Any]],
    invalid: Sequence[str],
    refused: Refusals,
) -> dict[str, Any]:
    """Of ids, each of which was sent or refused by now; `job` is where that is written down."""
    accepted = [item["failedInstanceId"] for item in sent]
    return {
        "message": f"{len(accepted)} resubmitted, {len(refused)} cannot be, {len(invalid)} unknown",
        "recoveryJobId": str(job.pk) if job else None,
        "redirectUrl": _job_url(request, job) if job else None,
        "resubmitRequested": bool(accepted),
        "resubmitSuccessful": bool(accepted) and not refused and not invalid,
        "acceptedIds": accepted,
        "invalidIds": list(invalid),
        "nonRecoverableIds": [str(instance.pk) for instance, _ in refused],
        "refusals": _refusals(refused),
        "resubmittedInstancesCount": len(accepted),
        "resubmittedFailedInstances": list(sent),
        "links": links_to(recoveryJob=_job_url(request, job)) if job else [],
    }


def ordered(request: Request, job: BulkResubmission, invalid: Sequence[str]) -> dict[str, Any]:
    """Of a selection, which is worked off from now on, or waits for a second person."""
    waits = job.state == BulkResubmission.State.AWAITING
    how = "waits for a second person to agree" if waits else f"{job.rate} a minute, in order of arrival"
    return resubmitted(request, job, [], invalid, []) | {
        "message": f"{job.total} to be resubmitted: {how}",
        "resubmitRequested": True,
        "resubmittedInstancesCount": job.total,
    }


def discarded(
    done: Sequence[Instance], invalid: Sequence[str], refused: Refusals, *, remaining: int
) -> dict[str, Any]:
    """What was discarded and what was not; `remaining`: how many of the selection a further call would discard."""
    return {
        "message": f"{len(done)} discarded, {len(refused)} cannot be, {len(invalid)} unknown",
        "discardedIds": [str(instance.pk) for instance in done],
        "invalidIds": list(invalid),
        "refusals": _refusals(refused),
        "remaining": remaining,
    }


def _refusals(refused: Refusals) -> list[dict[str, str]]:
    return [{"id": str(instance.pk), "reason": why} for instance, why in refused]


def _job_url(request: Request, job: BulkResubmission) -> str:
    return reverse("integrations-api:recovery-job", kwargs={"job_id": job.pk}, request=request)
