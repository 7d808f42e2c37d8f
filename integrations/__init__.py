"""The hub's own trade: flows, connections, instances, and what goes wrong with them."""
