"""What a caller, an operator or a schedule can do; views, admin actions and flows only call these."""
