"""Rebound on one machine: the embedded AWS and the provider twin as background processes, with the template deployed.

Tests start a stack of their own beside a developer's by giving :func:`up` another directory and other ports.
"""

from local.stack.configuration import StackConfiguration
from local.stack.errors import StackError
from local.stack.running import Stack, console_link, down, status, up

__all__ = ["Stack", "StackConfiguration", "StackError", "console_link", "down", "status", "up"]
