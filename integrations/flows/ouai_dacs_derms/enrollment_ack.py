"""OU OUAI DACS EnrollmentAck OS Process."""

from typing import TYPE_CHECKING, Any

from integrations.engine.places import Place
from integrations.engine.record_calls import RecordCaller
from integrations.engine.records import RecordJob, process_files
from integrations.engine.reports import COMPLETE_FLAG, NO_FILE_FLAG, finish
from integrations.engine.spec import FILE, Scheduled, flow
from integrations.flows.ouai_dacs_derms.package import (
    DACS,
    OUAI_DACS_DERMS,
    OUAI_STORAGE,
    SENT_BY_OUAI,
    TO_DACS,
    TO_OUAI,
)

if TYPE_CHECKING:
    from integrations.engine.context import Run

SYNC_REQUEST = "F1-SyncRequest"
DUPLICATE = (
    400,
)  # DACS has been told of this sync request before: passed over and counted (contract, "Flows")
PLACE = Place(namespace="ouai.os.namespace", bucket="ouai.os.enrollack.bucket")
PREFIX = "ouai.os.enrollack.filename.prefix"
COLUMNS = ("syncRequestId", "status")


@flow(
    "OUTL-BA-OUAI_DACS_OS_ENROLL_ACK",
    name="OU OUAI DACS EnrollmentAck OS Process",
    package=OUAI_DACS_DERMS,
    pattern=FILE,
    trigger=Scheduled(),
    connections=(OUAI_STORAGE, DACS),
    operations={DACS: (SYNC_REQUEST,)},
    mappings=("sync_request_update",),
    properties=(
        *PLACE.properties,
        PREFIX,
        SENT_BY_OUAI,
        NO_FILE_FLAG,
        COMPLETE_FLAG,
        "dacs.error.ack.messagecategory",
        "dacs.error.ack.messagenumber",
    ),
    recipients=(TO_DACS, TO_OUAI),
    source="seed 003 chapter 2, Enrollment Acknowledgment OS Process",
)
def enrollment_ack(run: "Run", parameters: Any) -> Any:
    """Tell DACS record by record what OUAI said of each enrolment; a file that stops goes on at the record it met."""
    directory = PLACE.directory_at(run, OUAI_STORAGE)
    prefix = run.properties.text(PREFIX)
    mapped = run.mapper("sync_request_update")
    caller = RecordCaller(run, DACS, SYNC_REQUEST, duplicate=DUPLICATE)

    def send(record: dict[str, str], number: int, key: str) -> bool:
        at = {"syncRequestId": record["syncRequestId"]}
        what = f"{record['syncRequestId']} (record {number})"
        return caller.send(mapped(record), path_values=at, key=key, what=what)

    job = RecordJob(
        source=OUAI_STORAGE,
        directory=directory,
        prefix=prefix,
        sent_prefix=run.properties.text(SENT_BY_OUAI),
        columns=COLUMNS,
        ready=caller.ready,
        send=send,
    )
    where = f"{directory} of {OUAI_STORAGE}"
    return finish(run, process_files(run, job), where=where, prefix=prefix, recipients=(TO_DACS, TO_OUAI))
