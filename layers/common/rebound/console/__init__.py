"""The console: pages for the people at a business's desk, and for whoever operates the stack."""
