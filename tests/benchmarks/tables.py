"""DynamoDB in this process: lean enough for hundreds of thousands of rows, and it counts capacity units.

Rows are kept as the JSON they are answered with. Held against moto by the ports' contract suite, and against AWS's
rules by the tests of ``capacity``.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec.json import decode, encode

from tests.benchmarks.capacity import item_size, query_units, read_units, write_units
from tests.benchmarks.expressions import Item, UnknownExpressionError, holds, updated

MOST_BYTES: Final = 1 << 20
"""A page of a query."""
MISSING: Final = "UnknownOperationException"
"""The error of an operation that is not known here."""


class RefusedError(Exception):
    """An error answer: DynamoDB's own name for it, and what else the answer holds."""

    def __init__(self, name: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.name = name
        self.more = more


def condition_failed() -> RefusedError:
    return RefusedError("ConditionalCheckFailedException", "The conditional request failed")


@dataclass(slots=True)
class Row:
    """An item as JSON, and the bytes it counts."""

    written: bytes
    size: int

    @property
    def item(self) -> Item:
        item: Item = decode(self.written)
        return item


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One change, as a stream tells it."""

    table: str
    number: int
    before: bytes | None
    after: bytes | None


class Table:
    """One table; partitions hold their rows by range key, in order."""

    def __init__(self, name: str, keys: Sequence[str], *, streams: bool = False) -> None:
        self.name = name
        self.keys = tuple(keys)
        self.streams = streams
        self._rows: dict[str, dict[str, Row]] = {}
        self._order: dict[str, list[str]] = {}

    def key_of(self, item: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
        values = [item[name]["S"] for name in self.keys]
        return values[0], values[1] if len(values) > 1 else ""

    def get(self, key: tuple[str, str]) -> Row | None:
        partition = self._rows.get(key[0])
        return partition.get(key[1]) if partition else None

    def put(self, key: tuple[str, str], row: Row) -> None:
        partition = self._rows.setdefault(key[0], {})
        if key[1] not in partition:
            insort(self._order.setdefault(key[0], []), key[1])
        partition[key[1]] = row

    def remove(self, key: tuple[str, str]) -> None:
        if self._rows.get(key[0], {}).pop(key[1], None) is not None:
            self._order[key[0]].remove(key[1])

    def between(self, partition: str, bounds: "Bounds", *, forward: bool) -> Iterator[tuple[str, Row]]:
        order, rows = self._order.get(partition, []), self._rows.get(partition, {})
        start, end = bounds.places(order)
        for place in range(start, end) if forward else range(end - 1, start - 1, -1):
            yield order[place], rows[order[place]]

    def by(self, keys: Sequence[str]) -> "Table":
        """What an index of these keys holds now."""
        found = Table(self.name, keys)
        for row in self.everything():
            item = row.item
            if all(name in item for name in keys):
                found.put(found.key_of(item), row)
        return found

    def everything(self) -> Iterator[Row]:
        for partition in self._rows.values():
            yield from partition.values()

    def clear(self) -> None:
        self._rows.clear()
        self._order.clear()


@dataclass(slots=True)
class Bounds:
    """Which range keys a query means."""

    low: str = ""
    low_open: bool = False
    high: str | None = None
    high_open: bool = False

    def places(self, order: Sequence[str]) -> tuple[int, int]:
        start = (bisect_right if self.low_open else bisect_left)(order, self.low)
        if self.high is None:
            return start, len(order)
        return start, max(start, (bisect_left if self.high_open else bisect_right)(order, self.high))

    def after(self, key: str, *, forward: bool) -> None:
        if forward and key >= self.low:
            self.low, self.low_open = key, True
        elif not forward and (self.high is None or key <= self.high):
            self.high, self.high_open = key, True


class Tables:
    """All tables of a deployment, behind DynamoDB's operations."""

    def __init__(self) -> None:
        self.by_name: dict[str, Table] = {}
        self.indexes: dict[str, Mapping[str, Sequence[str]]] = {}
        """Of a table, the keys of each index. Those have whole rows here, and no two of the same keys."""
        self.writes: Counter[str] = Counter()
        """Write units by table."""
        self.reads: defaultdict[str, float] = defaultdict(float)
        """Read units by table; halves where reads are eventually consistent."""
        self.changes: list[StreamRecord] = []
        self._number = 0
        self._operations: Mapping[str, Callable[[Mapping[str, Any]], bytes]] = {
            "GetItem": self._get_item,
            "PutItem": self._put_item,
            "DeleteItem": self._delete_item,
            "UpdateItem": self._update_item,
            "BatchGetItem": self._batch_get_item,
            "BatchWriteItem": self._batch_write_item,
            "TransactWriteItems": self._transact_write_items,
            "Query": self._query,
        }

    def operate(self, operation: str, request: Mapping[str, Any]) -> bytes:
        """The body of the answer. Raises ``RefusedError``."""
        if operation not in self._operations:
            raise RefusedError(MISSING, f"{operation} is not known here")
        return self._operations[operation](request)

    # --- one item -----------------------------------------------------------------------------------------------------

    def _get_item(self, request: Mapping[str, Any]) -> bytes:
        table = self._table(request)
        row = table.get(table.key_of(request["Key"]))
        sizes = [row.size if row else 0]
        self.reads[table.name] += read_units(sizes, consistent=request.get("ConsistentRead", False))
        return b'{"Item":%b}' % row.written if row else b"{}"

    def _put_item(self, request: Mapping[str, Any]) -> bytes:
        table, item = self._table(request), request["Item"]
        self._write(table, table.key_of(item), item, request)
        return b"{}"

    def _delete_item(self, request: Mapping[str, Any]) -> bytes:
        table = self._table(request)
        self._write(table, table.key_of(request["Key"]), None, request)
        return b"{}"

    def _update_item(self, request: Mapping[str, Any]) -> bytes:
        table = self._table(request)
        key = table.key_of(request["Key"])
        # What an update would make of a row is asked for only when its condition holds: it may need what is not there.
        after_update = self._update(table, key, request) if self._meets(table.get(key), request) else None
        after = self._write(table, key, after_update, request)
        returned = {"ALL_NEW": after}.get(request.get("ReturnValues", "NONE"))
        return b'{"Attributes":%b}' % returned.written if returned else b"{}"

    @staticmethod
    def _update(table: Table, key: tuple[str, str], request: Mapping[str, Any]) -> Item:
        row = table.get(key)
        before = row.item if row else dict(request["Key"])
        return updated(
            request["UpdateExpression"],
            before,
            request.get("ExpressionAttributeNames", {}),
            request.get("ExpressionAttributeValues", {}),
        )

    def _write(
        self,
        table: Table,
        key: tuple[str, str],
        item: Item | None,
        request: Mapping[str, Any],
        *,
        doubled: bool = False,
    ) -> Row | None:
        row = table.get(key)
        if not self._meets(row, request):
            self.writes[table.name] += write_units(row.size if row else 0, 0, transaction=doubled)
            raise condition_failed()
        return self._store(table, key, item, doubled=doubled)

    @staticmethod
    def _meets(row: Row | None, request: Mapping[str, Any]) -> bool:
        condition = request.get("ConditionExpression")
        return condition is None or holds(
            condition,
            row.item if row else None,
            request.get("ExpressionAttributeNames", {}),
            request.get("ExpressionAttributeValues", {}),
        )

    def _store(self, table: Table, key: tuple[str, str], item: Item | None, *, doubled: bool = False) -> Row | None:
        before = table.get(key)
        after = Row(encode(item), item_size(item)) if item is not None else None
        self.writes[table.name] += write_units(
            before.size if before else 0, after.size if after else 0, transaction=doubled
        )
        if after is None:
            table.remove(key)
        else:
            table.put(key, after)
        images = before.written if before else None, after.written if after else None
        if table.streams and images[0] != images[1]:
            self._number += 1
            self.changes.append(StreamRecord(table.name, self._number, *images))
        return after

    # --- many items ---------------------------------------------------------------------------------------------------

    def _batch_get_item(self, request: Mapping[str, Any]) -> bytes:
        answers = []
        for name, wanted in request["RequestItems"].items():
            table = self._named(name)
            found = [table.get(table.key_of(key)) for key in wanted["Keys"]]
            sizes = [row.size if row else 0 for row in found]
            self.reads[name] += read_units(sizes, consistent=wanted.get("ConsistentRead", False))
            answers.append(b'"%b":[%b]' % (name.encode(), b",".join(row.written for row in found if row)))
        return b'{"Responses":{%b},"UnprocessedKeys":{}}' % b",".join(answers)

    def _batch_write_item(self, request: Mapping[str, Any]) -> bytes:
        for name, wanted in request["RequestItems"].items():
            table = self._named(name)
            for one in wanted:
                if "PutRequest" in one:
                    item = one["PutRequest"]["Item"]
                    self._store(table, table.key_of(item), item)
                else:
                    self._store(table, table.key_of(one["DeleteRequest"]["Key"]), None)
        return b'{"UnprocessedItems":{}}'

    def _transact_write_items(self, request: Mapping[str, Any]) -> bytes:
        wanted = [(kind, one) for item in request["TransactItems"] for kind, one in item.items()]
        writes = []
        reasons = []
        for kind, one in wanted:
            table = self._table(one)
            key = table.key_of(one["Item"] if kind == "Put" else one["Key"])
            row = table.get(key)
            meets = self._meets(row, one)
            reasons.append({"Code": "None"} if meets else {"Code": "ConditionalCheckFailed"})
            writes.append((kind, one, table, key, row))
        if any(reason["Code"] != "None" for reason in reasons):
            for _, _, table, _, row in writes:
                self.writes[table.name] += write_units(row.size if row else 0, 0, transaction=True)
            raise RefusedError(
                "TransactionCanceledException",
                f"Transaction cancelled, [{', '.join(reason['Code'] for reason in reasons)}]",
                CancellationReasons=reasons,
            )
        for kind, one, table, key, row in writes:
            if kind == "ConditionCheck":
                self.writes[table.name] += write_units(row.size if row else 0, 0, transaction=True)
                continue
            after = None if kind == "Delete" else one["Item"] if kind == "Put" else self._update(table, key, one)
            self._store(table, key, after, doubled=True)
        return b"{}"

    def _query(self, request: Mapping[str, Any]) -> bytes:
        table = self._table(request)
        own = table.keys
        if (index := request.get("IndexName")) is not None:
            table = table.by(self.indexes[table.name][index])
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        partition, bounds = _bounds(request["KeyConditionExpression"], table, names, values)
        forward = request.get("ScanIndexForward", True)
        if (start := request.get("ExclusiveStartKey")) is not None:
            bounds.after(table.key_of(start)[1], forward=forward)
        limit, condition = request.get("Limit"), request.get("FilterExpression")
        found, total, looked, last = [], 0, 0, None
        for key, row in table.between(partition, bounds, forward=forward):
            if (limit is not None and looked == limit) or total + row.size > MOST_BYTES:
                break
            looked, total, last = looked + 1, total + row.size, key
            if condition is None or holds(condition, row.item, names, values):
                found.append(row.written)
        else:
            # DynamoDB knows that there is no more only when it has looked past the limit.
            last = last if limit is not None and looked == limit else None
        self.reads[table.name] += query_units(total, consistent=request.get("ConsistentRead", False))
        more = b""
        if last is not None:
            [(_, at)] = table.between(partition, Bounds(last, high=last), forward=True)
            place = {name: at.item[name] for name in {*table.keys, *own}}
            more = b',"LastEvaluatedKey":%b' % encode(place)
        items = b"" if request.get("Select") == "COUNT" else b",".join(found)
        return b'{"Items":[%b],"Count":%d,"ScannedCount":%d%b}' % (items, len(found), looked, more)

    def _table(self, request: Mapping[str, Any]) -> Table:
        return self._named(request["TableName"])

    def _named(self, name: str) -> Table:
        if name not in self.by_name:
            raise RefusedError("ResourceNotFoundException", f"There is no table {name}")
        return self.by_name[name]


def _bounds(
    expression: str, table: Table, names: Mapping[str, str], values: Mapping[str, Mapping[str, str]]
) -> tuple[str, Bounds]:
    """The partition and the range keys of a key condition, whose parts may stand in any order and in brackets."""
    words = expression.replace("(", " ( ").replace(")", " ) ").replace(",", " , ").split()
    words = [word for word in words if word not in "()"]
    partition: str | None = None
    bounds = Bounds()
    while words:
        if words[0] == "begins_with":
            given = values[words[3]]["S"]
            bounds.low, bounds.high, bounds.high_open, size = given, given + "\U0010ffff", True, 4
        else:
            name, sign, given = names.get(words[0], words[0]), words[1], values[words[2]]["S"]
            size = 5 if sign == "BETWEEN" else 3
            if name == table.keys[0]:
                partition = given
            elif sign == "BETWEEN":
                bounds.low, bounds.high = given, values[words[4]]["S"]
            elif sign in (">", ">="):
                bounds.low, bounds.low_open = given, sign == ">"
            elif sign in ("<", "<="):
                bounds.high, bounds.high_open = given, sign == "<"
            elif sign == "=":
                bounds.low, bounds.high = given, given
        words = words[size:]
        if words and words.pop(0) != "AND":
            raise UnknownExpressionError(expression)
    if partition is None:
        raise UnknownExpressionError(expression)
    return partition, bounds
