"""Lists for people, a page at a time, each of one scope; and what is asked of one enterprise, site or address."""
