"""The outage side beneath the operations: landbase, coordinates, incidents that tickets join."""
