"""What the themes of the bench share."""
