"""The load simulation: whole games as a macro and a micro player would play them, and what they cost."""
