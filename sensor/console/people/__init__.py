"""Pages of those who sign in: the entrance, the own account, accounts of others, the audit."""
