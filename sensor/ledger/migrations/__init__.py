"""Steps from the schema of each release to that of the next; a step that was released is never changed."""
