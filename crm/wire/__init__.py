"""The messages as they are on the wire: schemas, and the way between XML, JSON and plain values."""
