"""What is to be sent: definitions and their states, chunks, counters, the breaker."""
