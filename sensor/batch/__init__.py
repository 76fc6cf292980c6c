"""Many captures as independent tasks, for processes of this host or for a cluster, and their results as one."""
