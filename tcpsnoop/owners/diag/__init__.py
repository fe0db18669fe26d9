"""TCP sockets asked of the kernel through netlink, sock_diag(7): one, all, and those that end."""
