"""The provider twin: SES, Twilio and SNS text on one machine, in their real shapes and with outcomes by address.

Start it with ``python -m local.twin``. The same seed and the same sequence of sends give the same ids and the same
outcomes; which address does what is the table in ``outcomes``.
"""
