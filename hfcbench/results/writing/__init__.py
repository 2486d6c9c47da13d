"""From records to rows, and back to what a run must know."""
