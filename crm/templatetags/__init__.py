"""Filters of the call centre's pages."""
