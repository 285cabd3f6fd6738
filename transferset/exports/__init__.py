"""Sets in the formats of other software: one module a format, and what they share."""
