"""Rebound's main job on the sample customers, told from outside: a client of the public API and nothing else."""
