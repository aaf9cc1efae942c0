"""The programs: the command line, the load simulation, play in a terminal, checks of files."""
