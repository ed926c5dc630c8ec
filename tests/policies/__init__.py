"""Policies and state machines, judged by engines of other people: what IAM would say, and Step Functions."""
