"""Prints the OpenAPI document."""

import sys

from rebound.api.areas import API

sys.stdout.write(API.document())
