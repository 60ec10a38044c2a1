"""The data that travels: a message, encoded and signed; the intent of an effect."""
