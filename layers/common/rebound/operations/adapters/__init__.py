"""What operations ask of AWS: dead letters, alarms, measurements, identities."""
