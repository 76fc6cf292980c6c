"""What brings the accounts of an earlier release up to date. A step is never changed once it was released."""
