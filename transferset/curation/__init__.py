"""Choosing whole documents: language, size, licence, authors, duplicates."""
