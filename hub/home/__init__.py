"""The home page: what needs a person now, how the last day went, who is at work."""
