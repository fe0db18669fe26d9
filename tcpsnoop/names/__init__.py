"""Host and service names, given to reports as they are printed."""

from tcpsnoop.names.hosts import Hosts, host_tables, read_hosts
from tcpsnoop.names.namer import Namer
from tcpsnoop.names.services import registered_ports, service_name

__all__ = ["Hosts", "Namer", "host_tables", "read_hosts", "registered_ports", "service_name"]
