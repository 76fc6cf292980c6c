"""Case work in the browser: forms, the words of conclusions, and what was refused, in the reader's language."""
