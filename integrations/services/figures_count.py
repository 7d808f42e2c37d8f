"""All that the beat counts for the console's home page."""

from integrations.services.hours_count import hours_count
from integrations.services.standing_count import standing_count

EVERY_SECONDS = 10


def figures_count() -> None:
    """Count the hours that have changed, and how things stand; each no more often than is cheap."""
    hours_count()
    standing_count()
