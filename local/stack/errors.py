"""What can go wrong when the stack is started."""


class StackError(Exception):
    """The stack cannot be started or stopped; the message says why and what to do, for the person at the terminal."""
