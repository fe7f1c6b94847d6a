"""What a person can fix, as one exception."""


class DataError(Exception):
    """An error that the owner of the data, the contract or the parameters can fix; the message says how."""
