"""The operations over REST: the same names, the same Reply, JSON."""
