"""What people look at: a page for each participant, one for the group, and its table."""
