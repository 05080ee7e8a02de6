"""What dispatch decides, as functions of values: no broker, no database, no contract."""
