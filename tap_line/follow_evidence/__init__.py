"""Evidence about who follows the account: webhook events, lists of followers and profile checks."""
