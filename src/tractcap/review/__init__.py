"""A short server on this machine alone: it shows the pages of an output folder, and saves ratings into it."""
