"""Prints the OpenAPI document."""

import sys

from rebound.http.app import document

sys.stdout.write(document())
