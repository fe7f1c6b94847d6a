"""Raw data: under DVC, and divided into train and test rows."""
