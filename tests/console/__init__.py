"""The console against a scripted guest whose serial line, programs and accidents are simulated in virtual time."""
