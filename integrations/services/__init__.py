"""What a person or a caller can do, as verbs with keyword-only arguments."""
