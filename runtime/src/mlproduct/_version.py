"""The version, apart from the package: a release that changes nothing else runs no stage again."""

__version__ = "0.6.0"
