"""OU DACS OUAI Enrollment FTP Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.file_flow import FileFlow
from integrations.engine.places import Place
from integrations.engine.spec import FILE, Scheduled, flow
from integrations.flows.ouai_dacs_derms.package import (
    DACS_FILES,
    OUAI_DACS_DERMS,
    SENT_BY_DACS,
    TO_DACS,
    TO_OUAI,
    to_ouai,
)

if TYPE_CHECKING:
    from integrations.engine.context import Run

FILES = FileFlow(
    source=DACS_FILES,
    place=Place(directory="dacs.ftp.enroll.input.directory"),
    prefix="dacs.enroll.filename.prefix",
    sent_prefix=SENT_BY_DACS,
    to=to_ouai("ouai.os.enroll.bucket"),
    recipients=(TO_DACS, TO_OUAI),
)


@flow(
    "OUTL-BA-DACS_OUAI_FTP_ENROLL",
    name="OU DACS OUAI Enrollment FTP Transfer",
    package=OUAI_DACS_DERMS,
    pattern=FILE,
    trigger=Scheduled(),
    connections=(FILES.source,),
    calls=FILES.calls,
    properties=FILES.properties,
    recipients=FILES.recipients,
    source="seed 003 chapter 2, Enrollment FTP Transfer",
)
def enrollment_ftp(run: "Run", parameters: Any) -> Any:
    """Move DACS's enrolment extracts from its file server to OUAI."""
    return FILES.move(run)
