"""Sample saga: moves an amount between two accounts by commands; if a step fails, what happened is undone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from handlers import (
    DEFAULT_KIND,
    MAX_REQUEST_ID_CHARS,
    Clock,
    Command,
    CommandInput,
    CommandPublisher,
    CqrsError,
    EntityKey,
    InvokeContext,
    Item,
    NotFound,
    PendingVersions,
    RequestConflict,
    SagaLog,
    Skipper,
    SkipRefused,
    SyncPublisher,
    TableStore,
    TransientConflict,
    TransientError,
    ValidationError,
    VersionKey,
    WorkflowEvent,
    approval_sk,
    is_done,
    is_failed,
    log_step,
    publish_with_retry,
    reason_of,
    saga_partition,
    workflow,
)

TYPE = "ACCOUNT"
ATTEMPTS = 5
#: What an account remembers of a transfer, beside its balance.
DEBITED, CREDITED, UNDONE = "DEBITED", "CREDITED", "UNDONE"
#: The commands' request ids are made of the transfer's; the last one to be published must fit too.
MAX_TRANSFER_ID_CHARS = MAX_REQUEST_ID_CHARS - len(".undo-credit")


class InsufficientFunds(CqrsError):
    """The account has less than the amount."""


class AccountClosed(CqrsError):
    """The account takes no transfers."""


class AccountBroken(CqrsError):
    """Its attributes are not those of an account."""


class TransferUndone(CqrsError):
    """A late call of a step: the transfer has been undone on this account."""


@workflow("transfer")
class Transfer:
    """Input ``{tenantCode, requestId, from, to, amount, requestedBy}``; amounts are whole numbers.

    Each account's attributes hold ``balance`` and ``transfers``: request id to what the transfer did to the account. So
    a repeated step sees that it was done, and a late one that it was undone.
    """

    def __init__(
        self,
        store: TableStore,
        clock: Clock,
        publisher: CommandPublisher,
        sync_publisher: SyncPublisher,
        skipper: Skipper,
    ) -> None:
        self._saga = SagaLog(store, clock)
        self._publisher = publisher
        self._sync = sync_publisher
        self._skipper = skipper

    # -- states --------------------------------------------------------------------------------------------

    def debit(self, event: WorkflowEvent) -> dict[str, Any]:
        """Take the amount.

        Raises:
            InsufficientFunds, AccountClosed, AccountBroken, NotFound, ValidationError: nothing was changed.
        """
        given = _Given(event)
        return self._step(given, "debit", given.source, -given.amount, DEBITED)

    def credit(self, event: WorkflowEvent) -> dict[str, Any]:
        """Give the amount. Raises as ``debit``; also what the account's sync handlers raise."""
        given = _Given(event)
        done = self._step(given, "credit", given.target, given.amount, CREDITED)
        self._saga.finish(given.saga, event.execution_name)
        return done

    def undo(self, event: WorkflowEvent) -> dict[str, str]:
        """Undo what was recorded, the last step first. Answers why: ``{error, cause}``."""
        error = event.input["error"]
        try:
            given = _Given(event)
        except ValidationError:
            return reason_of(error)  # nothing begins with a wrong input
        self._saga.undo(
            given.saga,
            {
                "debit": lambda: self._undo(given, "debit", given.source, given.amount, DEBITED),
                "credit": lambda: self._undo(given, "credit", given.target, -given.amount, CREDITED),
            },
            given.content,
            event.execution_name,
        )
        return reason_of(error)

    # -- inside --------------------------------------------------------------------------------------------

    def _step(self, given: _Given, step: str, key: EntityKey, amount: int, done: str) -> dict[str, Any]:
        self._saga.begin(given.saga, step, given.content)

        def build(latest: Command | None) -> CommandInput | None:
            account = _account(key, latest)
            state = account["transfers"].get(given.request_id)
            if state == UNDONE:
                raise TransferUndone(f"{key}: transfer {given.request_id} was undone")
            if state == done:
                return None
            if account.get("closed"):
                raise AccountClosed(f"{key} is closed")
            if account["balance"] + amount < 0:
                raise InsufficientFunds(f"{key} has {account['balance']}, {-amount} are asked for")
            return _changed(key, latest, account, amount, given.request_id, done)

        command = self._publish(given, key, f"{given.request_id}.{step}", build)
        if command is not None and _mark(command.attributes, given) != done:
            raise RequestConflict(
                f"{key}: request id {given.request_id}.{step} was used for {command.sk} by another one"
            )
        return {"step": step, "version": None if command is None else command.version}

    def _undo(self, given: _Given, step: str, key: EntityKey, amount: int, done: str) -> None:
        """A step that published nothing never will: its request id is withdrawn. Otherwise it is ended and reversed.

        An account that was deleted after the step gets back what it had, and stays deleted.
        """
        request_id = f"{given.request_id}.{step}"
        row = self._publisher.withdraw(key, given.context(request_id))
        if row is None or (row["pk"], row["code"]) != (key.pk, key.code) or _mark(row["attributes"], given) != done:
            return  # not a step of this transfer
        self._end(given, key, request_id, row)

        def build(latest: Command | None) -> CommandInput | None:
            account = _account(key, latest, deleted_too=True)
            state = account["transfers"].get(given.request_id)
            if state == UNDONE:
                return None
            if state != done:
                raise AccountBroken(f"{key} does not remember transfer {given.request_id}, which has {done} it")
            return _changed(key, latest, account, amount, given.request_id, UNDONE)

        self._publish(given, key, f"{given.request_id}.undo-{step}", build)

    def _end(self, given: _Given, key: EntityKey, request_id: str, row: Item) -> None:
        """Let the step's own command come to its end, and leave it out if it failed: it holds back all others."""
        if not is_done(row) and not is_failed(row):
            try:
                self._publish(given, key, request_id, lambda _: None)
            except TransientError:
                raise
            except Exception as error:  # noqa: BLE001 - boundary: a step that fails again is what is undone here
                log_step("step to be undone failed", level=logging.WARNING, error=error, pk=key.pk, sk=key.sk)
                row = self._publisher.result_of_request(key, given.context(request_id)) or row
            else:
                return
        if is_failed(row):
            try:
                self._skipper(VersionKey.parse(row["pk"], row["sk"]))
            except SkipRefused as refused:
                raise TransientConflict(str(refused)) from refused

    def _publish(
        self, given: _Given, key: EntityKey, request_id: str, build: Callable[[Command | None], CommandInput | None]
    ) -> Command | None:
        """Applied when it returns: see decision record 0082."""
        try:
            return publish_with_retry(
                build,
                ATTEMPTS,
                key=key,
                context=given.context(request_id),
                publisher=self._publisher,
                publish=self._sync.publish_sync,
            )
        except PendingVersions as pending:
            raise TransientConflict(str(pending)) from pending


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
        if len(given["requestId"]) > MAX_TRANSFER_ID_CHARS:
            raise ValidationError("requestId", given["requestId"], f"at most {MAX_TRANSFER_ID_CHARS} characters")
        amount = given.get("amount")
        if isinstance(amount, bool) or not isinstance(amount, int) or amount < 1:
            raise ValidationError("amount", amount, "a whole number of at least 1")
        if given["from"] == given["to"]:
            raise ValidationError("to", given["to"], "another account than from")
        self.amount: int = amount
        self.request_id: str = given["requestId"]
        self.content = {field: given[field] for field in ("from", "to", "amount")}
        self.source = EntityKey(DEFAULT_KIND, given["tenantCode"], TYPE, given["from"])
        self.target = EntityKey(DEFAULT_KIND, given["tenantCode"], TYPE, given["to"])
        self.saga = saga_partition(given["tenantCode"]), approval_sk("transfer", given["requestId"])
        self._user: str = given["requestedBy"]

    def context(self, request_id: str) -> InvokeContext:
        """Who asks, under a request id of a step's own."""
        return InvokeContext(self._user, self.source.tenant_code, request_id=request_id)


def _account(key: EntityKey, latest: Command | None, *, deleted_too: bool = False) -> dict[str, Any]:
    if latest is None or (latest.is_deleted and not deleted_too):
        raise NotFound(f"{key}: there is no such account")
    account = {"transfers": {}, **latest.attributes}
    balance = account.get("balance")
    if isinstance(balance, bool) or not isinstance(balance, int) or not isinstance(account["transfers"], dict):
        raise AccountBroken(f"{key}: balance must be a whole number and transfers an object")
    return account


def _mark(attributes: dict[str, Any], given: _Given) -> Any:
    """What an account remembers of the transfer."""
    transfers = attributes.get("transfers")
    return transfers.get(given.request_id) if isinstance(transfers, dict) else None


def _changed(
    key: EntityKey, latest: Command | None, account: dict[str, Any], amount: int, request_id: str, state: str
) -> CommandInput:
    assert latest is not None
    transfers = {**account["transfers"], request_id: state}
    attributes = {**account, "balance": account["balance"] + amount, "transfers": transfers}
    return CommandInput(
        TYPE, key.code, latest.name, attributes, latest.version, is_deleted=latest.is_deleted, kind=key.kind
    )
