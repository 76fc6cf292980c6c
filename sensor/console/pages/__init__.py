"""The pages, one file a subject: a visit in, a page of blocks out."""
