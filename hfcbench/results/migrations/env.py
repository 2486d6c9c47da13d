"""Run by Alembic: applies revisions on the connection that it is handed, in its transaction."""

from alembic import context

from hfcbench.results.schema import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    # All revisions or none; Alembic by itself does not trust SQLite with that.
    transactional_ddl=True,
)
context.run_migrations()
