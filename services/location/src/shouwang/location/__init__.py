"""Location: where everybody is. Reports in, H3 cells out; presence and the questions about both."""

SERVICE = "location"
