"""What the twenty flows of the project share."""

from integrations.engine.spec import Package

CPMCS_DERMS = Package(
    name="OU CPMCS DERMS",
    project="OUTL-BA-DACS_DERMS",
    version="01.00.0000",
    source="seed 002",
    config="OUTL-BRT-DACS_DRMS_ConfigProps",
    emails="OUTL-BRT-DACS_DRMS_Email_ID",
    error_handler="OUTL-BA-DACS_DRMS_ERROR",
)
CPMCS = "OU REST CPMCS for CPMCS-DERMS"
DERMS = "OU REST DERMS for CPMCS-DERMS"
CHILDREN = "OU REST for CPMCS-DERMS"
FTP_TRANSFER = "OUTL-BA-DACS_FTP_TRANSFER"
OS_TRANSFER = "OUTL-BA-DACS_OS_TRANSFER"
PROGRAM_RULE_ACK = "OUTL-BA-DRMS_DACS_SYNC_ACK"
AGGREGATOR_ACK = "OUTL-BA-DERMS_DACS_AGGSYNC_ACK"

ENROL = "X1-ProgramEnrollment.enrollProgram"
ENROLMENT_ACK = "X1-ProgramEnrollment.postAcknowledgement"
DEVICE_STATUS = "X1-ControllableDeviceStatus.postControllableDeviceStatus"
CREATE_EVENT = "X1-ProgramEvent.createProgramEvent"
ACTION_EVENT = "X1-ProgramEvent.actionProgramEvent"
RESERVE = "X1-ProgramEventParticipation.reserveDevice"
OUTCOME = "X1-ProgramEventParticipation.postEventOutcome"
SYNC_REQUEST = "F1-SyncRequest"
HEALTH = "F1-HealthCheckRest"

ROUTING = "OUTL-BRT-DACS_DRMS_Routing"
DONE = (200,)  # what the seed takes for success at DERMS
