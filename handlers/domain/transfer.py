"""Sample saga: moves an amount between two accounts by commands; if a step fails, completed steps are undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers import (
    DEFAULT_KIND,
    Clock,
    Command,
    CommandInput,
    CommandPublisher,
    CqrsError,
    EntityKey,
    NotFound,
    Saga,
    SagaRequest,
    SagaStep,
    Skipper,
    SyncPublisher,
    TableStore,
    ValidationError,
    WorkflowEvent,
    reason_of,
    workflow,
)

TYPE = "ACCOUNT"
#: States of a transfer, which an account stores in addition to its balance.
DEBITED, CREDITED, UNDONE = "DEBITED", "CREDITED", "UNDONE"


class InsufficientFunds(CqrsError):
    """The account has less than the amount."""


class AccountClosed(CqrsError):
    """The account accepts no transfers."""


class AccountBroken(CqrsError):
    """The entity's attributes aren't those of an account."""


class TransferUndone(CqrsError):
    """A late call of a step: the transfer has been undone on this account."""


@workflow("transfer")
class Transfer:
    """Input ``{tenantCode, requestId, from, to, amount, requestedBy}``; amounts are whole numbers.

    Each account's attributes contain ``balance`` and ``transfers``: request id to the transfer's state for this
    account. So a repeated step sees that it was done, and a late one that it was undone.
    """

    def __init__(
        self,
        store: TableStore,
        clock: Clock,
        publisher: CommandPublisher,
        sync_publisher: SyncPublisher,
        skipper: Skipper,
    ) -> None:
        self._saga = Saga(
            "transfer",
            ("debit", "credit"),
            store=store,
            clock=clock,
            publisher=publisher,
            sync_publisher=sync_publisher,
            skipper=skipper,
        )

    def debit(self, event: WorkflowEvent) -> Any:
        """Debit the source account.

        Raises:
            InsufficientFunds, AccountClosed, AccountBroken, NotFound, ValidationError: nothing was changed.
        """
        given = _Given(event)
        return self._saga.do(given.request, self._debit(given))

    def credit(self, event: WorkflowEvent) -> Any:
        """Credit the target account. Raises like ``debit``, and the errors of the account's sync handlers."""
        given = _Given(event)
        return self._saga.do(given.request, self._credit(given), last_of=event.execution_name)

    def undo(self, event: WorkflowEvent) -> dict[str, str]:
        """Undo the recorded steps in reverse order. Returns the reason: ``{error, cause}``."""
        try:
            given = _Given(event)
        except ValidationError:
            return reason_of(event.input["error"])  # with invalid input, no step has started
        self._saga.undo(given.request, (self._debit(given), self._credit(given)), event.execution_name)
        return reason_of(event.input["error"])

    def _debit(self, given: _Given) -> SagaStep:
        return self._step(given, "debit", given.source, -given.amount, DEBITED)

    def _credit(self, given: _Given) -> SagaStep:
        return self._step(given, "credit", given.target, given.amount, CREDITED)

    def _step(self, given: _Given, name: str, key: EntityKey, amount: int, done: str) -> SagaStep:
        request_id = given.request.id

        def action(latest: Command | None) -> CommandInput | None:
            account = _account(key, latest)
            state = account["transfers"].get(request_id)
            if state == UNDONE:
                raise TransferUndone(f"{key}: transfer {request_id} was undone")
            if state == done:
                return None
            if account.get("closed"):
                raise AccountClosed(f"{key} is closed")
            if account["balance"] + amount < 0:
                raise InsufficientFunds(f"{key} has {account['balance']}, {-amount} are asked for")
            return _changed(key, latest, account, amount, request_id, done)

        def undo(latest: Command | None) -> CommandInput | None:
            """An account that was deleted after the step gets its balance back, and stays deleted."""
            account = _account(key, latest, deleted_too=True)
            state = account["transfers"].get(request_id)
            if state == UNDONE:
                return None
            if state != done:
                raise AccountBroken(f"{key} does not remember transfer {request_id}, which has {done} it")
            return _changed(key, latest, account, -amount, request_id, UNDONE)

        def shows(attributes: Mapping[str, Any]) -> bool:
            transfers = attributes.get("transfers")
            return isinstance(transfers, dict) and transfers.get(request_id) == done

        return self._saga.command_step(given.request, name, key, action=action, undo=undo, shows=shows)


class _Given:
    """The execution's input. Raises ValidationError naming the field."""

    def __init__(self, event: WorkflowEvent) -> None:
        given = event.context["Execution"]["Input"]
        if not isinstance(given, dict):
            raise ValidationError(
                "input", given, "a JSON object with tenantCode, requestId, from, to, amount, requestedBy"
            )
        for field in ("tenantCode", "requestId", "from", "to", "requestedBy"):
            if not isinstance(given.get(field), str) or not given[field]:
                raise ValidationError(field, given.get(field), "text that is not empty")
        amount = given.get("amount")
        if isinstance(amount, bool) or not isinstance(amount, int) or amount < 1:
            raise ValidationError("amount", amount, "a whole number of at least 1")
        if given["from"] == given["to"]:
            raise ValidationError("to", given["to"], "another account than from")
        tenant = given["tenantCode"]
        content = {field: given[field] for field in ("from", "to", "amount")}
        self.amount: int = amount
        self.request = SagaRequest(tenant, given["requestId"], given["requestedBy"], content)
        self.source = EntityKey(DEFAULT_KIND, tenant, TYPE, given["from"])
        self.target = EntityKey(DEFAULT_KIND, tenant, TYPE, given["to"])


def _account(key: EntityKey, latest: Command | None, *, deleted_too: bool = False) -> dict[str, Any]:
    if latest is None or (latest.is_deleted and not deleted_too):
        raise NotFound(f"{key}: there is no such account")
    account = {"transfers": {}, **latest.attributes}
    balance = account.get("balance")
    if isinstance(balance, bool) or not isinstance(balance, int) or not isinstance(account["transfers"], dict):
        raise AccountBroken(f"{key}: balance must be a whole number and transfers an object")
    return account


def _changed(
    key: EntityKey, latest: Command | None, account: dict[str, Any], amount: int, request_id: str, state: str
) -> CommandInput:
    assert latest is not None
    transfers = {**account["transfers"], request_id: state}
    attributes = {**account, "balance": account["balance"] + amount, "transfers": transfers}
    return CommandInput(
        TYPE, key.code, latest.name, attributes, latest.version, is_deleted=latest.is_deleted, kind=key.kind
    )
