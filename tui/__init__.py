"""The faces: command line and terminal app. They read the engine's event stream and nothing else."""
