"""Networks with a blur before every loss of places, and what it changes."""
