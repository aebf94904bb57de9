"""The one description of Wherry's C interface, and what is made from it."""


class DescriptionError(Exception):
    """The header or the schema breaks a rule that everything made from them relies on."""
