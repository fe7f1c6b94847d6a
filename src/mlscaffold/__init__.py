"""Generates reproducible machine-learning product repositories."""

__version__ = "0.6.0"
