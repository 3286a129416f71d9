"""Public names of ops of linear algebra."""
