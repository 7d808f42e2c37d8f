"""OU OUAI DERMS LoadReductionForecast OS Transfer."""

from typing import TYPE_CHECKING, Any

from integrations.engine.faults import BusinessFault
from integrations.engine.file_flow import FileFlow
from integrations.engine.integrity import LOAD_FORECAST, IntegrityTap
from integrations.engine.places import Place
from integrations.engine.spec import FILE, Scheduled, flow
from integrations.flows.ouai_dacs_derms.package import (
    DERMS_FILES,
    OUAI_DACS_DERMS,
    OUAI_STORAGE,
    SENT_BY_OUAI,
    TO_DERMS,
    TO_OUAI,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from integrations.engine.context import Run
    from integrations.engine.invoke import Answer
    from integrations.engine.pump import Feed

OPERATION = "loadReductionForecast"
SUCCESS = "SUCCESS"


def _sender(run: "Run") -> "Callable[[Feed], None]":
    return lambda feed: run.send_file(
        feed, DERMS_FILES, OPERATION, path_values={"file-name": feed.transfer.source_name}, check=_taken
    )


def _taken(answer: "Answer") -> None:
    """Only ackType SUCCESS is a yes; the rest of the files then stay."""
    said = answer.data.get("ackType") if isinstance(answer.data, dict) else None
    if said != SUCCESS:
        raise BusinessFault(
            f"{DERMS_FILES} answered {answer.status} with ackType {said!r}, where {SUCCESS} means done",
            connection=DERMS_FILES,
            target_status=answer.status,
        )


FILES = FileFlow(
    source=OUAI_STORAGE,
    place=Place(namespace="ouai.os.namespace", bucket="ouai.os.loadreductionforecast.bucket"),
    prefix="ouai.loadreductionforecast.filename.prefix",
    sent_prefix=SENT_BY_OUAI,
    to=_sender,
    recipients=(TO_OUAI, TO_DERMS),
    serial=True,
    taps=lambda run, transfer: [IntegrityTap(run, transfer, LOAD_FORECAST)],
)


@flow(
    "OUTL-BA-OUAI_OS_LR_FORECAST",
    name="OU OUAI DERMS LoadReductionForecast OS Transfer",
    package=OUAI_DACS_DERMS,
    pattern=FILE,
    trigger=Scheduled(),
    connections=(FILES.source, DERMS_FILES),
    calls=FILES.calls,
    properties=FILES.properties,
    recipients=FILES.recipients,
    operations={DERMS_FILES: (OPERATION,)},
    source="seed 003 chapter 2, Load Reduction Forecast OS Transfer",
)
def load_forecast(run: "Run", parameters: Any) -> Any:
    """Send OUAI's load reduction forecasts to DERMS one by one; the first that is not taken stops the run."""
    return FILES.move(run)
