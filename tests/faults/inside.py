"""What the fault tests ask of a hub, answered from inside its own Django: a JSON object a line in, one out.

Started as `python -m tests.faults.inside`, with the environment that says which hub it is.
"""

import json
import sys
from importlib import import_module

import django
from django.db import close_old_connections


def main() -> None:
    """Answer until the asker closes its end."""
    django.setup()
    asked = import_module("tests.faults.answers").ASKED  # it imports models, which Django allows from here on
    print(json.dumps({"ok": "ready"}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        close_old_connections()
        try:
            said = {"ok": asked[question.pop("do")](**question)}
        except Exception as error:  # noqa: BLE001  (whatever it is, the test that asked is told)
            said = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
