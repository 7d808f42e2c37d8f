"""OU OUAI DACS KwhAvoided OS Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.file_flow import FileFlow
from integrations.engine.integrity import KWH_AVOIDED, IntegrityTap
from integrations.engine.places import Place
from integrations.engine.spec import FILE, Scheduled, flow
from integrations.flows.ouai_dacs_derms.package import (
    KWH_TO_DACS,
    OUAI_DACS_DERMS,
    OUAI_STORAGE,
    SENT_BY_OUAI,
    TO_DACS,
    TO_OUAI,
)

if TYPE_CHECKING:
    from integrations.engine.context import Run

FILES = FileFlow(
    source=OUAI_STORAGE,
    place=Place(namespace="ouai.os.namespace", bucket="ouai.os.kwhavoided.bucket"),
    prefix="ouai.os.kwhavoided.filename.prefix",
    sent_prefix=SENT_BY_OUAI,
    to=KWH_TO_DACS,
    recipients=(TO_DACS, TO_OUAI),
    taps=lambda run, transfer: [IntegrityTap(run, transfer, KWH_AVOIDED)],
)


@flow(
    "OUTL-BA-OUAI_DACS_KWHAVD_OS_TRF",
    name="OU OUAI DACS KwhAvoided OS Transfer",
    package=OUAI_DACS_DERMS,
    pattern=FILE,
    trigger=Scheduled(),
    connections=(FILES.source,),
    calls=FILES.calls,
    properties=FILES.properties,
    recipients=FILES.recipients,
    source="seed 003 chapter 2, KWH Avoided OS Transfer",
)
def kwh_avoided(run: "Run", parameters: Any) -> Any:
    """Move OUAI's kWh avoided to DACS, checking as they pass that they hold what they say."""
    return FILES.move(run)
