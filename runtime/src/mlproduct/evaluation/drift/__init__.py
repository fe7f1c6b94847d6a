"""Whether the rows have moved: column by column, and in how the target follows from them."""
