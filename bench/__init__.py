"""Measuring the hub on this machine, each figure beside a yardstick of the same run (docs/performance.md)."""
