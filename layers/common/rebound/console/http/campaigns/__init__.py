"""The pages on which campaigns are listed, written, sent and watched."""
