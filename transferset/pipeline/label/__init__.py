"""`label`: a set's rows with what teachers say of them."""
