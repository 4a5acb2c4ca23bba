"""Playing rooms: the signed state, what the server remembers, the pages."""
