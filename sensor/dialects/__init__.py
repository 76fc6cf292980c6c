"""Readers: chunks of a flow become messages here, one module a framing. They know bytes, not sessions and not grades."""
