"""What the flows of the call centre's interface share (seed 004)."""

from crm.config import EMAILS, PACKAGE, PROPERTIES
from integrations.engine.spec import Package

GRIDOPS_CRM = Package(
    name=PACKAGE,
    version="01.00.0000",
    source="seed 004",
    config=PROPERTIES,
    emails=EMAILS,
    error_handler=f"{PACKAGE}_ERR_HNDLR",
)
IVR = f"OU SOAP IVR for {PACKAGE}"
