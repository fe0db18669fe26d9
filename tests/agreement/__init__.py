"""Comparing what the provider says with what tshark and tcptrace say of the same packets."""
