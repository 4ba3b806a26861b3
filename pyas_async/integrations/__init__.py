"""Connections of the client with other libraries. Each is a separate module, and is imported only when it is used."""
