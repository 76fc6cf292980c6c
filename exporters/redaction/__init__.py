"""What may be shown to others: findings and attribution without what is inside."""
