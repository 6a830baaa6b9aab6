"""The migration controller: brings a migration object from creation to its end."""
