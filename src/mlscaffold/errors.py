"""The one exception for what a user can fix."""


class UserError(Exception):
    """Something the user can fix: says what is wrong and what to do."""
