"""Adopt the standard in an existing repository: add what is missing, and leave the existing files as they are."""
