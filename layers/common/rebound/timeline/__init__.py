"""What people read about a customer or an appointment."""
