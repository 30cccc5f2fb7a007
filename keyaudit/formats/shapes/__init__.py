"""How a report is shaped for those who ask for it: order, titles and words, one file a shape."""
