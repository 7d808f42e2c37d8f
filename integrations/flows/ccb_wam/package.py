"""What the two flows of the package share."""

from integrations.engine.spec import Package

CCB_WAM = Package(
    name="outl.ba.ccb_wam",
    version="01.00.0000",
    source="seed 000",
    config="OUTL-BRT-CCB_WAM_ConfigProps",
    emails="OUTL-BRT-CCB_WAM_Email_ID",
    error_handler="OUTL-BA-CCB_WAM_ERR_HNDLR",
)
CCB, WAM = "OU REST CCB for CCB-WAM", "OU REST WAM for CCB-WAM"
