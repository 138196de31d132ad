"""The application's workflows: states, approvals and sagas."""
