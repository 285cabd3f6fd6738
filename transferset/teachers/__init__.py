"""Teachers: encoders of transformers that say something of rows, opened, fitted and asked."""
