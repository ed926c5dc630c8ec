"""Sample customers for the demo and for trying things out by hand; all of them are invented."""
