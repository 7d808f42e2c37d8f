"""monitoring/errors/recoveryJobs: the orders to resubmit, and how far each is."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from integrations.api import documents
from integrations.api.criteria import SPAN, criteria_of, number_of, one_of, within
from integrations.api.monitoring import MonitoringView, links_to, parameters_of
from integrations.api.paging import PAGING, page_of
from integrations.api.shapes import moment
from integrations.models import BulkResubmission
from integrations.services.bulk_progress import bulk_progress

VIEW = "integrations.view_bulkresubmission"
CRITERIA = SPAN | {"status", "id"}


class RecoveryJobsView(MonitoringView):
    """The list."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="recovery_jobs_list",
        summary="List the orders to resubmit, newest first",
        tags=["Monitoring"],
        parameters=documents.JOB_QUERY,
        responses=documents.answers(documents.JobPage),
    )
    def get(self, request: Request) -> Response:
        """A page of orders, without their counts."""
        parameters = parameters_of(request, PAGING | {"q"})
        criteria = criteria_of(parameters.get("q", ""), CRITERIA)
        rows = BulkResubmission.objects.filter(within(criteria, "created_at"))
        if "status" in criteria:
            rows = rows.filter(state=one_of("status", criteria["status"], BulkResubmission.State.values))
        if "id" in criteria:
            rows = rows.filter(pk=number_of("id", criteria["id"]))
        return Response(page_of(request, rows, parameters, lambda row: job_shape(request, row)))


class RecoveryJobView(MonitoringView):
    """One order."""

    rights = {"GET": VIEW}

    @extend_schema(
        operation_id="recovery_jobs_get",
        summary="One order to resubmit, and how far it is",
        tags=["Monitoring"],
        responses=documents.answers(documents.JobDetail, missing=True),
    )
    def get(self, request: Request, job_id: int) -> Response:
        """With how many are waiting, sent, refused, recovered and failed again."""
        parameters_of(request)
        if job_id > 2**63 - 1:
            raise Http404
        job = BulkResubmission.objects.filter(pk=job_id).first()
        if job is None:
            raise Http404
        progress = bulk_progress(order=job)
        return Response(
            job_shape(request, job)
            | {
                "waiting": progress.waiting,
                "resubmitted": progress.sent,
                "refused": progress.refused,
                "dropped": progress.dropped,
                "recovered": progress.recovered,
                "failedAgain": progress.failed_again,
                "underWay": progress.under_way,
            }
        )


def job_shape(request: Request, job: BulkResubmission) -> dict[str, Any]:
    """An order; `jobid` in q of monitoring/instances gives its instances."""
    self_url = reverse("integrations-api:recovery-job", kwargs={"job_id": job.pk}, request=request)
    instances = reverse("integrations-api:instances", request=request)
    return {
        "id": str(job.pk),
        "recoveryJobId": str(job.pk),
        "title": job.title,
        "status": job.state,
        "reason": job.reason,
        "requestedBy": job.actor,
        "approvedBy": job.approved_by,
        "rate": job.rate,
        "totalInstances": job.total,
        "creationDate": moment(job.created_at),
        "startDate": moment(job.started_at),
        "endDate": moment(job.ended_at),
        "links": links_to(self=self_url, instances=f"{instances}?q={{jobid:'{job.pk}'}}"),
    }
