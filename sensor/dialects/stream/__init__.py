"""What passes between a stream of bytes and its readers: messages, and what a reader is and declares. Knows no framing."""
