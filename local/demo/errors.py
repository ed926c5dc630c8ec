"""What can stop the demo."""


class DemoError(Exception):
    """The demo cannot go on; the message is one or two plain sentences for the person who started it."""
