"""From a suite to rows in the database: suite -> plan -> tasks -> executor -> store."""
