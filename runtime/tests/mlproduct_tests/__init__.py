"""What several tests use: sample files, and the repository that some of them look at."""
