"""Values that travel between rooms: frozen, plain, without I/O. Imports nothing but itself."""
