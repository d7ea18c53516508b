"""Who follows the account, by whatever evidence there is."""
