"""What the interface can do, one file an operation; SOAP and REST call the same (seed 004 chapters 5 to 8)."""
