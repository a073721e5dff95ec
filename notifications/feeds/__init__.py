"""What was told, for machines that read instead of being pushed to: CAP, Atom, open data."""
