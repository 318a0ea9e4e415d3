"""The Comity protocol in Python, written from proto/PROTOCOL.md alone, for the tests."""
