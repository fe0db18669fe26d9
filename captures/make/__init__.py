"""The generators of the captures: `python -m captures.make [NAME…]` makes all of them, or some.

frames.py builds frames and files.py capture files, both with struct alone: they share no code with
what they test. conversation.py plays a connection, catalogue.py knows every capture, and each other
module is a family of captures. Nothing here reads a clock or draws a random number.
"""
