"""What is read from a results database: studies, figures, claims."""
