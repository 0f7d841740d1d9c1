"""What memory each type of transaction may demand between its start and its end."""
