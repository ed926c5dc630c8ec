"""Workers that are stopped at every boundary, and what must hold afterwards."""
