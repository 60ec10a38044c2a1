"""What travels: a message's fields, encoded and signed; the intent of an effect."""
