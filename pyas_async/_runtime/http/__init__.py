"""Our own HTTP: an `httpx.AsyncClient`, its transport, and the connections below it. It knows nothing of calls."""
