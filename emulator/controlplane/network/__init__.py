"""Pure rules about networks: names of pod interfaces, what is copied to a VMI, what needs a migration or a restart."""
