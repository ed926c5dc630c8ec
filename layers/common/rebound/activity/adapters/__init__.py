"""The adapters that implement the ports of activity."""
