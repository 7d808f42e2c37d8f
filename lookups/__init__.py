"""Lookups: tables that translate codes, and property lists; imports nothing of ours."""
