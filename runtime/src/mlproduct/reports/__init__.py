"""What people read about the model: model card, plots, reports/ce.md and ce.html."""
