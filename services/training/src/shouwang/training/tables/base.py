"""What all tables of training share."""

from sqlalchemy import Column, DateTime, MetaData, Table, Text, Uuid

metadata = MetaData()
Id = Uuid(as_uuid=False)
Moment = DateTime(timezone=True)

signing_keys = Table("signing_keys", metadata, Column("key", Text, primary_key=True))
"""One row, made with the database: codes on certificates stay good as long as the data, and nobody has to set a key."""
