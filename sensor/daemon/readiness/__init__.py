"""Whether a start would succeed: what it needs, looked at as the sensor's user, each trouble with its mend. Nothing is
created and nothing is changed."""
