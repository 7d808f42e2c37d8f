"""The body of both device score flows; they differ in where CPMCS puts its extract (seed 002, Send Device Score)."""

from typing import TYPE_CHECKING

from integrations.engine.pump import Feed, Job, move_files
from integrations.engine.reports import finish
from integrations.flows.cpmcs_derms._routing import derms_for

if TYPE_CHECKING:
    from integrations.engine.context import Run

OPERATION = "deviceScore"
TAKEN = (200, 202)
PROPERTIES = (
    "dacs.dvcScore.extract.filename.prefix",
    "dacs.prefixtag.fileuploaded",
    "dacs.prefixtag.filenotuploaded",
    "notification.email.process.nofile.flag",
    "notification.email.process.complete.flag",
)


def send_scores(run: "Run", *, source: str, directory: str) -> dict[str, object]:
    """Send each extract to DERMS as it is and give it the prefix of what was uploaded, or of what was not."""
    text = run.properties.text
    prefix = text("dacs.dvcScore.extract.filename.prefix")
    derms = derms_for(run)

    def send(feed: Feed) -> None:
        name = feed.transfer.source_name
        run.send_file(feed, derms, OPERATION, path_values={"file-name": name}, expect=TAKEN)

    job = Job(
        source=source,
        directory=directory,
        prefix=prefix,
        sent_prefix=text("dacs.prefixtag.fileuploaded"),
        failed_prefix=text("dacs.prefixtag.filenotuploaded"),
        hand_on=send,
    )
    where = f"{directory} of {source}"
    return finish(run, move_files(run, job), where=where, prefix=prefix, tell_of_none=False)
