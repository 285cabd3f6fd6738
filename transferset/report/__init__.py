"""Showing sets and running work to people, and to programs as JSON."""
