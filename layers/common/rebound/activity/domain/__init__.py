"""Events and summaries."""
