"""What callers reach over HTTP: the flows' inbound endpoints and the monitoring API."""
