"""Pure rules. Nothing here does I/O, reads a clock or knows a library beyond the standard one."""
