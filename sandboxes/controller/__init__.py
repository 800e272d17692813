"""What controls a sandbox from outside: the fork server's protocol, and the pool of servers."""
