"""Framings: chunks of one direction become messages, one file a framing."""
