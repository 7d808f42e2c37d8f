"""What adapters raise, as faults: which code, whether trying again may help, whether it may have happened."""

import pytest

from integrations.adapters.errors import (
    AdapterError,
    BadAnswer,
    BadMessage,
    LoginRefused,
    Misconfigured,
    Refused,
    TimedOut,
    Unreachable,
)
from integrations.engine.faults import fault_of


@pytest.mark.parametrize(
    ("error", "kind", "code", "status"),
    [
        (BadAnswer("IVR said nonsense", status=200, body=b"<x/>"), "remote", "HUB-TARGET-ANSWER", 502),
        (BadMessage("Note has no member 'x'"), "technical", "HUB-MAPPING", 422),
        (Misconfigured("no WSDL"), "technical", "HUB-CONNECTION", 502),
        (Refused("fault", status=500), "remote", "HUB-TARGET-REFUSED", 502),
        (Refused("fault", status=200), "remote", "HUB-TARGET-REFUSED", 502),
        (Refused("fault", status=400), "business", "HUB-TARGET-REFUSED", 502),
        (LoginRefused("no"), "remote", "HUB-TARGET-REFUSED", 502),
        (Unreachable("down"), "remote", "HUB-TARGET-DOWN", 502),
        (TimedOut("silent"), "remote", "HUB-TARGET-DOWN", 504),
    ],
)
def test_what_an_adapter_raises_has_its_code_and_status(
    error: AdapterError, kind: str, code: str, status: int
):
    fault = fault_of(error, connection="IVR")
    assert (fault.fault_class, fault.code, fault.status) == (kind, code, status)
    assert fault.text == f"IVR: {error.text}"
    assert (fault.passing, fault.connection) == (error.passing, "IVR")


def test_an_unusable_answer_is_kept_and_what_it_did_is_uncertain():
    fault = fault_of(BadAnswer("nonsense", status=200, body=b"<x/>", hint="Look there."))
    assert (fault.target_status, fault.target_body, fault.hint) == (200, b"<x/>", "Look there.")
    assert (fault.uncertain, fault.passing) == (True, False)
    assert fault.title == "The target's answer cannot be used"


def test_a_message_that_was_not_sent_has_done_nothing():
    fault = fault_of(BadMessage("no member 'x'", hint="Mend the mapping."))
    assert (fault.uncertain, fault.passing, fault.hint) == (False, False, "Mend the mapping.")
