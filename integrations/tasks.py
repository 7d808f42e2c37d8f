"""The one thing that is ever queued."""

import uuid

from integrations.engine.runner import work_on


def run_instance(instance_id: str) -> None:
    """Claim an instance by its id and run it; an id that was run already, or is no id of ours, does nothing."""
    work_on(uuid.UUID(instance_id))
