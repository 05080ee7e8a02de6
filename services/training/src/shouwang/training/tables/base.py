"""What all tables of training share."""

from sqlalchemy import DateTime, MetaData, Uuid

metadata = MetaData()
Id = Uuid(as_uuid=False)
Moment = DateTime(timezone=True)
