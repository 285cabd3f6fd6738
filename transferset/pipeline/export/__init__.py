"""`export`: a set, or sibling sets, in the format of other software."""
