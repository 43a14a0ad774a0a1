"""Whose call runs, for what the model logs."""

from _thread import get_ident

# The context of the call; None while several run together.
current = None

# The thread that calls the model.
main_thread = get_ident()
