"""Files in and out, and what runs in the background: imports, exports, jobs."""
