"""The neighbours in a box, and `make run`."""
