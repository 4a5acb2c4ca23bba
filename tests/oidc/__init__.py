"""OpenID Connect against a real provider (Canaille, a process of its own), and against one that lies."""
