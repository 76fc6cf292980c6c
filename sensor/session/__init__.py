"""One flow's mining conversation: messages in, accounts with shares, jobs and evidence out. Sans-IO."""
