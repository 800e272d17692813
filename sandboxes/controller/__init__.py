"""Controls sandboxes from outside: the protocol of the fork server, and a pool of servers."""
