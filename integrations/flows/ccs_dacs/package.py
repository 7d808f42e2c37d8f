"""What the six flows of the package share."""

from integrations.engine.spec import Package

CCS_DACS = Package(
    name="outl.ba.ccs_dacs",
    version="01.23.3000",
    source="seed 001 chapter 2",
    config="OUTL-BRT-CCS_DACS_ConfigProps",
    emails="OUTL-BRT-CCS_DACS_Email_ID",
    error_handler="OUTL-BA-CCS_DACS_ERR_HNDLR",
)
FTP_TRANSFER = "OUTL-BA-CCS_DACS_FTP_TRANSFER"
OS_TRANSFER = "OUTL-BA-CCS_DACS_OS_TRANSFER"
