"""The rollback of an operation that stopped halfway. It stands above the kinds whose steps it takes back."""
