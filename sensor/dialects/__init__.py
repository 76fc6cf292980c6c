"""Chunks of a flow become messages here, one reader a framing. Readers know bytes, not sessions and not grades."""
