"""The flows themselves, a package of the field each; found by discovery."""
