"""Is it better, and may it ship? Each gate a figure with bounds; the verdict follows. No model is changed here."""
