"""What an agent sees: the layout of the observation by name, and the compiled code that writes it."""
