"""The programs: the command line, the load simulation, a game at the prompt, checks of files."""
