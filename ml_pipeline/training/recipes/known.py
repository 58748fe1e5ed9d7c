"""What the recipes after known approaches have in common."""

USE = (
    "Comparison with a published approach, trained once and short. Not for answering anybody, and not a medical device."
)
LIMITS = ("Trained for minutes: it shows what the approach gives on an honest split, not the best it could give.",)
