"""What people text back."""
