"""The call centre's interface: trouble tickets, incidents and callbacks."""
