"""What connects the client with other libraries: each in a module of its own, which is loaded by whoever imports it."""
