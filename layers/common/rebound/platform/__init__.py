"""What every capability stands on: settings, telemetry, AWS, the shapes of functions and of the API."""
