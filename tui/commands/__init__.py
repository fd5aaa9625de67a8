"""One module for each command; each has ``register(subparsers)``, which sets ``run=`` to its work.

``run(args)`` returns the exit code. These modules are imported by ``persona-moe --help``, so they
import the engine inside ``run``.
"""
