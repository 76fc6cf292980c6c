"""The interface for programs of other departments: the lists of the console as JSON, by tokens, read only."""
