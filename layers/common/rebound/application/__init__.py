"""Use cases, one module each, and in ``ports`` what they need from outside."""
