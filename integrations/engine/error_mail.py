"""The error mail, as every package's common error handler sends it (seed 001 chapter 2)."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from integrations.engine.context import Run

ERROR_FLAG = "notification.email.error.flag"
TYPE_FLAG = "notification.type.email"
TECHNICAL_RECIPIENTS = "to"


def tell_of_error(run: "Run", message: dict[str, Any]) -> dict[str, Any]:
    """Queue the error mail if both flags are on (`email` counts as on for the type); says what it did."""
    wanted = run.properties.flag(ERROR_FLAG, True)
    by_mail = run.properties.flag(TYPE_FLAG, True, words=("email",))
    if not (wanted and by_mail):
        run.skip("error mails are switched off")
    run.notify(
        "error",
        recipients=TECHNICAL_RECIPIENTS,
        subject=f"{message['name']}: {message['text']}"[:200],
        lines=_lines(message),
    )
    return {"notified": True}


def _lines(message: dict[str, Any]) -> list[str]:
    told = [
        ("Flow", f"{message['name']} ({message['flow']})"),
        ("Error", message["text"]),
        ("Kind", message["faultClass"]),
        ("Code", message["code"]),
        ("At", message["step"]),
        ("What to do", message["hint"]),
        ("Attempt", str(message["attempt"])),
    ]
    return [f"{name}: {value}" for name, value in told if value]
