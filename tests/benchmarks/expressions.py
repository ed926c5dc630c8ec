"""DynamoDB's condition and update expressions, as far as a deployment uses them; what it does not know it refuses."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

type Value = Mapping[str, Any]
type Item = dict[str, Value]
type Names = Mapping[str, str]
type Values = Mapping[str, Value]
type Condition = Callable[[Item, Names, Values], bool]
type Operand = Callable[[Item, Names, Values], Value | None]

_TOKENS: Final = re.compile(r"\s*(<>|<=|>=|[()=<>,+-]|[:#]?[A-Za-z0-9_]+|$)")
_CLAUSES: Final = frozenset({"SET", "REMOVE", "ADD", "DELETE"})


class UnknownExpressionError(Exception):
    """An expression that is not understood here."""


def holds(expression: str | None, item: Item | None, names: Names, values: Values) -> bool:
    """Whether an item, or the lack of one, meets a condition."""
    return expression is None or _condition(expression)(item or {}, names, values)


@lru_cache(maxsize=1024)
def _condition(expression: str) -> Condition:
    parser = _Parser(expression)
    condition = parser.either()
    parser.end()
    return condition


class _Parser:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens: list[str] = []
        place = 0
        while place < len(expression):
            match = _TOKENS.match(expression, place)
            if match is None:
                raise UnknownExpressionError(expression)
            self._tokens.append(match[1])
            place = match.end()
        self._tokens.append("")
        self._next = 0

    @property
    def seen(self) -> str:
        return self._tokens[self._next]

    def take(self, *expected: str) -> str:
        token = self.seen
        if expected and token.upper() not in expected:
            raise UnknownExpressionError(f"{expected} expected at {token!r} in {self._expression}")
        self._next += 1
        return token

    def taken(self, expected: str) -> bool:
        if self.seen.upper() != expected:
            return False
        self._next += 1
        return True

    def end(self) -> None:
        while self.seen == "" and self._next < len(self._tokens) - 1:
            self._next += 1
        self.take("")

    def either(self) -> Condition:
        parts = [self.both()]
        while self.taken("OR"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda i, n, v: any(part(i, n, v) for part in parts)

    def both(self) -> Condition:
        parts = [self.denied()]
        while self.taken("AND"):
            parts.append(self.denied())
        return parts[0] if len(parts) == 1 else lambda i, n, v: all(part(i, n, v) for part in parts)

    def denied(self) -> Condition:
        if self.taken("NOT"):
            part = self.denied()
            return lambda i, n, v: not part(i, n, v)
        if self.taken("("):
            inner = self.either()
            self.take(")")
            return inner
        return self.comparison()

    def comparison(self) -> Condition:
        function = self.seen.lower()
        if function in ("attribute_exists", "attribute_not_exists"):
            self.take()
            self.take("(")
            there = self.operand()
            self.take(")")
            wanted = function == "attribute_exists"
            return lambda i, n, v: (there(i, n, v) is not None) is wanted
        if function in ("begins_with", "contains"):
            self.take()
            self.take("(")
            whole = self.operand()
            self.take(",")
            part = self.operand()
            self.take(")")
            test = _begins if function == "begins_with" else _contains
            return lambda i, n, v: test(whole(i, n, v), part(i, n, v))
        left = self.operand()
        if self.taken("BETWEEN"):
            low = self.operand()
            self.take("AND")
            high = self.operand()
            return lambda i, n, v: (
                _compare(">=", left(i, n, v), low(i, n, v)) and _compare("<=", left(i, n, v), high(i, n, v))
            )
        if self.taken("IN"):
            self.take("(")
            members = [self.operand()]
            while self.taken(","):
                members.append(self.operand())
            self.take(")")
            return lambda i, n, v: any(_compare("=", left(i, n, v), member(i, n, v)) for member in members)
        sign = self.take("=", "<>", "<", "<=", ">", ">=")
        right = self.operand()
        return lambda i, n, v: _compare(sign, left(i, n, v), right(i, n, v))

    def operand(self) -> Operand:
        token = self.take()
        if token.startswith(":"):
            return lambda _i, _n, v: v[token]
        if not token or not (token[0].isalpha() or token[0] in "#_"):
            raise UnknownExpressionError(f"an operand expected at {token!r} in {self._expression}")
        if token == "size":  # noqa: S105 - a token of the expression
            self.take("(")
            sized = self.operand()
            self.take(")")
            return lambda i, n, v: _size(sized(i, n, v))
        return lambda i, n, _v: i.get(n[token] if token.startswith("#") else token)

    def assigned(self) -> Operand:
        """The right side of SET."""
        left = self.term()
        sign = self.seen
        if sign not in ("+", "-"):
            return left
        self.take()
        right = self.term()
        factor = 1 if sign == "+" else -1
        return lambda i, n, v: {"N": str(_number(left(i, n, v)) + factor * _number(right(i, n, v)))}

    def term(self) -> Operand:
        function = self.seen.lower()
        if function not in ("if_not_exists", "list_append"):
            return self.operand()
        self.take()
        self.take("(")
        first = self.operand()
        self.take(",")
        second = self.term()
        self.take(")")
        if function == "if_not_exists":
            return lambda i, n, v: found if (found := first(i, n, v)) is not None else second(i, n, v)
        return lambda i, n, v: {"L": [*(first(i, n, v) or {"L": []})["L"], *(second(i, n, v) or {"L": []})["L"]]}


def _compare(sign: str, left: Value | None, right: Value | None) -> bool:
    if left is None or right is None:
        return sign == "<>"
    (left_kind, a), (right_kind, b) = *left.items(), *right.items()
    if left_kind != right_kind:
        return sign == "<>"
    if left_kind == "N":
        a, b = Decimal(a), Decimal(b)
    elif left_kind in ("SS", "NS"):
        a, b = set(a), set(b)
    match sign:
        case "=":
            return bool(a == b)
        case "<>":
            return bool(a != b)
        case "<":
            return bool(a < b)
        case "<=":
            return bool(a <= b)
        case ">":
            return bool(a > b)
        case _:
            return bool(a >= b)


def _begins(whole: Value | None, part: Value | None) -> bool:
    return whole is not None and part is not None and "S" in whole and str(whole["S"]).startswith(part["S"])


def _contains(whole: Value | None, part: Value | None) -> bool:
    if whole is None or part is None:
        return False
    ((kind, content),) = whole.items()
    ((_, member),) = part.items()
    return part in content if kind == "L" else member in content


def _size(value: Value | None) -> Value | None:
    return None if value is None else {"N": str(len(next(iter(value.values()))))}


def _number(value: Value | None) -> Decimal:
    if value is None:
        raise UnknownExpressionError("a number that is not there")
    return Decimal(value["N"])


def updated(expression: str, item: Item, names: Names, values: Values) -> Item:
    """The item after an update expression; every right side sees the item as it was."""
    after = dict(item)
    parser = _Parser(expression)
    clause = ""
    while parser.seen:
        if parser.seen.upper() in _CLAUSES:
            clause = parser.take().upper()
        token = parser.take()
        name = names[token] if token.startswith("#") else token
        if clause == "SET":
            parser.take("=")
            assigned = parser.assigned()(item, names, values)
            if assigned is None:
                raise UnknownExpressionError(f"{name} is set to what is not there")
            after[name] = assigned
        elif clause == "REMOVE":
            after.pop(name, None)
        else:
            _gather(clause, after, name, values[parser.take()])
        if not parser.taken(","):
            clause = ""
            if parser.seen and parser.seen.upper() not in _CLAUSES:
                raise UnknownExpressionError(expression)
    return after


def _gather(clause: str, item: Item, name: str, given: Value) -> None:
    ((kind, content),) = given.items()
    before = item.get(name)
    if kind == "N" and clause == "ADD":
        item[name] = {"N": str((_number(before) if before else Decimal(0)) + Decimal(content))}
        return
    members = set(before[kind]) if before else set()
    members = members | set(content) if clause == "ADD" else members - set(content)
    if members:
        item[name] = {kind: sorted(members)}
    else:
        item.pop(name, None)
