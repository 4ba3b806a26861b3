"""Connections of the client with other libraries. Each is a module of its own, and imported only when it is used."""
