"""The nouns that flow: batches of packets, of segments, of probes; columns, never objects."""
