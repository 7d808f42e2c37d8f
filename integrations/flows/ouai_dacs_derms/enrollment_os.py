"""OU DACS OUAI Enrollment OS Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.file_flow import FileFlow
from integrations.engine.places import Place
from integrations.engine.spec import FILE, Scheduled, flow
from integrations.flows.ouai_dacs_derms.package import (
    DACS_STORAGE,
    OUAI_DACS_DERMS,
    SENT_BY_DACS,
    TO_DACS,
    TO_OUAI,
    to_ouai,
)

if TYPE_CHECKING:
    from integrations.engine.context import Run

FILES = FileFlow(
    source=DACS_STORAGE,
    place=Place(namespace="dacs.os.namespace", bucket="dacs.os.enroll.bucket"),
    prefix="dacs.enroll.filename.prefix",
    sent_prefix=SENT_BY_DACS,
    to=to_ouai("ouai.os.enroll.bucket"),
    recipients=(TO_DACS, TO_OUAI),
)


@flow(
    "OUTL-BA-DACS_OUAI_OS_ENROLL",
    name="OU DACS OUAI Enrollment OS Transfer",
    package=OUAI_DACS_DERMS,
    pattern=FILE,
    trigger=Scheduled(),
    connections=(FILES.source,),
    calls=FILES.calls,
    properties=FILES.properties,
    recipients=FILES.recipients,
    source="seed 003 chapter 2, Enrollment OS Transfer",
)
def enrollment_os(run: "Run", parameters: Any) -> Any:
    """Move DACS's enrolment extracts from its object storage to OUAI."""
    return FILES.move(run)
