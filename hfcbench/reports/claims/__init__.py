"""The paper's statements as checks over a results database."""
