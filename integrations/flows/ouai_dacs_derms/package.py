"""What the ten flows of the package share."""

from integrations.engine.places import FTP, OS, Place, Preferred
from integrations.engine.spec import Package

OUAI_DACS_DERMS = Package(
    name="outl.ba.ouai_dacs_derms",
    version="01.23.2000",
    source="seed 003 chapter 2",
    config="OUTL-BRT-OUAI_DACS_DRMS_ConfigProps",
    emails="OUTL-BRT-OUAI_DACS_DRMS_Email_ID",
    error_handler="OUTL-BA-OUAI_DACS_DRMS_ERR_HNDLR",
)
OUAI_STORAGE = "OU REST OUAI OS for OUAI DACS DRMS"
DACS_FILES, DACS_STORAGE = "OU FTP DACS for OUAI DACS DRMS", "OU REST DACS OS for OUAI DACS DRMS"
DACS = "OU REST DACS for OUAI DACS DRMS"
DERMS, DERMS_FILES = "OU REST DRMS for OUAI DACS DRMS", "OU REST API DRMS for OUAI DACS DRMS"
CALLERS = "OU REST for OUAI DACS DERMS"
ROUTING = "OUTL-BRT-DACS_OUAI_Routing"

OUAI_TRANSFER = "OUTL-BA-OUAI_OS_TRANSFER"
DACS_FTP_TRANSFER, DACS_OS_TRANSFER = "OUTL-BA-OUAI_DACS_FTP_TRANSFER", "OUTL-BA-OUAI_DACS_OS_TRANSFER"

TO_DACS, TO_OUAI, TO_DERMS = (
    "dacs.to.process.notification",
    "ouai.to.process.notification",
    "drms.to.process.notification",
)
SENT_BY_DACS, SENT_BY_OUAI = "dacs.prefixtag.fileuploaded", "ouai.prefixtag.fileuploaded"


def to_ouai(bucket: str) -> Preferred:
    """OUAI takes files from object storage only; the preference is there for the day it does not."""
    return Preferred(
        "ouai.file.target.transfer.pref",
        {OS: (OUAI_TRANSFER, Place(namespace="ouai.os.namespace", bucket=bucket))},
        default=OS,
    )


KWH_TO_DACS = Preferred(
    "dacs.file.target.transfer.pref",
    {
        FTP: (DACS_FTP_TRANSFER, Place(directory="dacs.ftp.kwhavoid.input.directory")),
        OS: (DACS_OS_TRANSFER, Place(namespace="dacs.os.namespace", bucket="dacs.os.kwhavoided.bucket")),
    },
)
