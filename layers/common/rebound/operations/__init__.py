"""Running a deployment: commands and dead letters."""
