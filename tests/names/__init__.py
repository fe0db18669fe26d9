"""Host and service names, without any network."""
