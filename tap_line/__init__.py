"""Singer tap for LINE, and the webhook receiver that fills its inbox."""
