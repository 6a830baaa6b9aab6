"""All suites on every version and platform of the embedded cluster, compared with what must come out there."""
