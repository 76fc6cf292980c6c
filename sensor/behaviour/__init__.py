"""What lengths and times of an encrypted session say of its plaintext. Sans-IO; sees no bytes."""
