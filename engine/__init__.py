"""persona-moe's engine: documents to cited answers, as one ordered stream of typed events.

The public names are imported on first use, so ``import engine`` costs next to nothing.
"""
