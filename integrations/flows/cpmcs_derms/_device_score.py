"""What both device score flows share; they differ in where CPMCS puts its extract (seed 002, Send Device Score)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from integrations.engine.file_flow import FileFlow
from integrations.engine.places import Place
from integrations.engine.pump import Feed
from integrations.flows.cpmcs_derms._routing import derms_for

if TYPE_CHECKING:
    from integrations.engine.context import Run

OPERATION = "deviceScore"
TAKEN = (200, 202)


def device_scores(source: str, place: Place) -> FileFlow:
    """From CPMCS's place to DERMS; what was not taken gets a prefix of its own."""
    return FileFlow(
        source=source,
        place=place,
        prefix="dacs.dvcScore.extract.filename.prefix",
        sent_prefix="dacs.prefixtag.fileuploaded",
        failed_prefix="dacs.prefixtag.filenotuploaded",
        to=_sender,
        tell_of_none=False,
    )


def _sender(run: "Run") -> Callable[[Feed], None]:
    derms = derms_for(run)

    def send(feed: Feed) -> None:
        name = feed.transfer.source_name
        run.send_file(feed, derms, OPERATION, path_values={"file-name": name}, expect=TAKEN)

    return send
