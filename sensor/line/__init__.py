"""The line: events of a core in, findings out. It joins what is seen in many flows, judges, estimates. Sans-IO."""
