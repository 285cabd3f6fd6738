"""From the bytes of a book, or of any plain text, to passages of prose."""

from transferset.text.books.cleaner import Cleaned, TextCleaner
from transferset.text.books.decoding import Decoded, decode

__all__ = ["Cleaned", "Decoded", "TextCleaner", "decode"]
