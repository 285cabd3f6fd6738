"""`lm sample`: a set's rows, and as many more as wanted that a language model wrote."""
