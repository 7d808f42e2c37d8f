"""The one thing that is ever queued."""

import uuid

from integrations.engine.runner import work_on
from integrations.engine.turns import in_turn


def run_instance(instance_id: str) -> None:
    """Claim an instance by its id and run it, in its turn; an id that was run already does nothing."""
    in_turn(uuid.UUID(instance_id), work_on)
