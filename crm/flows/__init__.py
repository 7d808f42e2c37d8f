"""Flows of the call centre interface, found by discovery."""
