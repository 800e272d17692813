"""What runs inside a sandbox, next to untrusted code. Never imported by the controller; see README.md."""
