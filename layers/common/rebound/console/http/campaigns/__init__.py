"""The pages on which campaigns are listed, written and sent."""
