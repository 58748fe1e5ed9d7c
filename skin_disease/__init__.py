"""Settings, routes and server configuration: knows only names."""
