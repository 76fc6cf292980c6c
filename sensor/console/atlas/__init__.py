"""The operator's own map of divisions: read from GeoJSON, made small enough for a page. No map is shipped."""
