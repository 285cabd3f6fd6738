"""Which student is trained: from few options, a file, a directory or a publication."""
