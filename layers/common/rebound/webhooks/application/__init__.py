"""Publishing events, looking after webhooks, delivering to them."""
