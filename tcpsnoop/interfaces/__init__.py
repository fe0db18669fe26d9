"""What others plug in: a source, a reporter, a renderer, a way to know owners."""
