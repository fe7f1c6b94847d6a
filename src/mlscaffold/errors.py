"""The one exception for what a user can mend."""


class UserError(Exception):
    """Something the user can mend: says what is wrong and what to do."""
