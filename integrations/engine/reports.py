"""The two business mails of a file flow: no file found, process complete (seed 001 chapter 2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from integrations.engine.faults import fault_of
from integrations.engine.pump import Summary

if TYPE_CHECKING:
    from integrations.engine.context import Run

Recipients = str | tuple[str, ...]  # properties of the package's Email_ID list
BUSINESS_RECIPIENTS = "to.process.notification"
NO_FILE_FLAG = "notification.email.process.nofile.flag"
COMPLETE_FLAG = "notification.email.process.complete.flag"


def report_done(
    run: "Run", lines: list[str], *, recipients: Recipients = BUSINESS_RECIPIENTS, whole: bool = True
) -> None:
    """'Process complete' of a flow that moved one file or its records, if the flag says so."""
    if not run.properties.flag(COMPLETE_FLAG, True):
        run.note("The process-complete mail is switched off")
        return
    run.notify(
        "process-complete",
        recipients=recipients,
        subject=f"{run.spec.name}: " + ("process complete" if whole else "stopped by an error"),
        lines=lines,
    )


def report_no_file(
    run: "Run",
    *,
    where: str,
    prefix: str,
    default: bool = True,
    recipients: Recipients = BUSINESS_RECIPIENTS,
) -> None:
    """'No file found', if the flag says so; `default` is what a missing flag means in this package."""
    if not run.properties.flag(NO_FILE_FLAG, default):
        run.note("No file found; the mail about it is switched off")
        return
    run.notify(
        "no-file",
        recipients=recipients,
        subject=f"{run.spec.name}: no file found",
        lines=[f"{run.spec.name} found no file in {where} whose name begins with {prefix}."],
    )


def report_complete(run: "Run", summary: Summary, recipients: Recipients = BUSINESS_RECIPIENTS) -> None:
    """'Process complete' with the files transferred and not transferred, if the flag says so."""
    whole = summary.fault is None
    lines = [
        f"{run.spec.name} " + ("has transferred all files." if whole else "was stopped by an error."),
        *([] if summary.fault is None else [f"Error: {summary.fault.text}"]),
        "",
        *summary.lines(),
    ]
    report_done(run, lines, recipients=recipients, whole=whole)


def finish(
    run: "Run",
    summary: Summary,
    *,
    where: str,
    prefix: str,
    tell_of_none: bool = True,
    recipients: Recipients = BUSINESS_RECIPIENTS,
) -> dict[str, object]:
    """The end all file flows share: the mails, then the run's fault if it has one.

    `tell_of_none`: whether "no file found" is mailed where the flag about it is not set; `recipients`: the properties
    of those who are told.

    The process-complete mail waits while the run tries again by itself: it tells of the whole run.
    """
    if summary.fault is None and not summary.found and not summary.transferred:
        report_no_file(run, where=where, prefix=prefix, default=tell_of_none, recipients=recipients)
    elif summary.fault is None:
        report_complete(run, summary, recipients)
    elif run.gives_up(summary.fault):
        _report_stopped(run, summary, recipients)
    if summary.fault is not None:
        raise summary.fault
    return summary.answer()


def _report_stopped(run: "Run", summary: Summary, recipients: Recipients) -> None:
    with _not_hiding_the_error(run):
        report_complete(run, summary, recipients)


def report_stopped(run: "Run", lines: list[str], *, recipients: Recipients = BUSINESS_RECIPIENTS) -> None:
    """'Process complete' of a flow that an error stopped; the error is raised afterwards."""
    with _not_hiding_the_error(run):
        report_done(run, lines, recipients=recipients, whole=False)


@contextmanager
def _not_hiding_the_error(run: "Run") -> Iterator[None]:
    """If the mail about a run that an error stopped cannot be made, that is said, and the error stays the error."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (anything: the run's own fault is what is raised)
        run.note(f"The process-complete mail could not be made: {fault_of(error).text}", warning=True)
