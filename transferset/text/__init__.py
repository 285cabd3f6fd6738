"""From a page's markup to passages of running prose."""
