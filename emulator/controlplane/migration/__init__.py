"""The migration controller: takes a migration object through its phases."""
