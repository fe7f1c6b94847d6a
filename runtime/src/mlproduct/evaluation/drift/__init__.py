"""Have the rows moved: column by column, and in how the target follows from them?"""
