"""`make bench`: what Rebound costs, how much CPU, memory and time it takes; each part a module that runs alone."""
