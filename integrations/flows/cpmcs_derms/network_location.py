"""OU DERMS CPMCS SP Network Location Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.faults import fault_of
from integrations.engine.places import FTP, OS, Place, Preferred
from integrations.engine.reports import report_done, report_stopped
from integrations.engine.shapes import FILE_NAME, NAME, TEXT, one_of, shape
from integrations.engine.spec import ASYNCHRONOUS, Inbound, flow
from integrations.flows.cpmcs_derms.package import CPMCS_DERMS, DERMS, FTP_TRANSFER, OS_TRANSFER

if TYPE_CHECKING:
    from integrations.engine.context import Run

RECIPIENTS = "dacs.to.process.notification"
CPMCS_FILES = Preferred(
    "dacs.file.target.transfer.pref",
    {
        FTP: (FTP_TRANSFER, Place(directory="dacs.spNtwkLoc.ftp.input.directory")),
        OS: (OS_TRANSFER, Place(namespace="dacs.os.namespace", bucket="dacs.spNtwkLoc.os.bucketname")),
    },
)


@flow(
    "OUTL-BA-DERMS_DACS_SPNWLOC_TRNFR",
    name="OU DERMS CPMCS SP Network Location Transfer",
    package=CPMCS_DERMS,
    pattern=ASYNCHRONOUS,
    trigger=Inbound(resource="network-model-to-dacs", source=DERMS, multipart=True),
    connections=("OU REST MP OIC for CPMCS-DERMS",),
    calls=CPMCS_FILES.calls,
    keys={"fileName": "fileName", "messageId": "messageId", "drmsInstanceId": "drmsInstanceId"},
    message_id="messageId",
    properties=(CPMCS_FILES.preference, "notification.email.process.complete.flag"),
    recipients=(RECIPIENTS,),
    schema=shape(
        {"messageId": NAME, "fileName": FILE_NAME},
        {"drmsInstanceId": TEXT, "loadType": one_of("INITIAL", "INCREMENTAL")},
    ),
    source="seed 002, SP Network Location Transfer",
)
def network_location(run: "Run", message: Any) -> Any:
    """Pass DERMS's network location file on to CPMCS, and note as it passes where each service point hangs."""
    name = message["fileName"]
    feed = run.attached()
    feed.taps.append(run.watch_network_locations(feed.transfer))
    child = CPMCS_FILES.handover(run)
    try:
        answer = run.call(child.flow, child.message(name), feed=feed)
    except Exception as error:
        fault = fault_of(error)
        if run.gives_up(fault):
            lines = [f"{run.spec.name} could not transfer {name}.", f"Error: {fault.text}"]
            report_stopped(run, lines, recipients=RECIPIENTS)
        raise fault from error
    report_done(run, [f"{run.spec.name} has transferred {name}."], recipients=RECIPIENTS)
    return answer
