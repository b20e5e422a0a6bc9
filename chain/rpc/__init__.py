"""What clients talk to: JSON-RPC over HTTP and WebSocket, and a client for it."""
