"""Forms: findings and figures as events, tables, pages, documents, bundles. Pure."""
