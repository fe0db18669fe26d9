"""Captures with journals of owners, recorded while real processes did what is hard to attribute.

`python -m tests.owners.recordings [NAME…]`, as root, records plays.py anew: NAME.pcap, NAME.owners,
and NAME.json with what the processes wrote down themselves. Each play has a network namespace and
a PID namespace of its own, so nothing of the machine comes along; what the kernel told of sockets
of others is left out.
"""
