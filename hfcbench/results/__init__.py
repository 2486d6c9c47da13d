"""The results database: records in, frames out; everything else about it stays inside."""
