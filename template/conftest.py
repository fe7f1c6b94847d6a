"""The library's plugin for pytest: gates as tests in ce/, and what ran, for the ML Test Score."""

pytest_plugins = ["mlproduct.testing"]
