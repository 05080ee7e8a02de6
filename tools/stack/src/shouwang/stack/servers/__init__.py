"""A real nats-server and a real PostgreSQL out of wheels, as child processes that never outlive us."""

from shouwang.stack.servers.nats import NatsServer
from shouwang.stack.servers.postgres import PostgresServer
from shouwang.stack.servers.process import ServerError

__all__ = ["NatsServer", "PostgresServer", "ServerError"]
