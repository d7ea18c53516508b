"""The LINE Official Account: bot info, and the bots of a module channel."""
