"""The faults that can be planted in a module: each is one small change of its syntax tree.

Left alone are docstrings, annotations, decorators, error texts and what only type checkers see: a change there changes
nothing that the product does, or only what a person reads.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import Final

Change = Callable[[], None]

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_FUNCTIONS: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_SIGNS: Final = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
LONGEST: Final = 150
"""Characters of a place that are shown."""
_UNSEEN: Final = frozenset({"logger", "logging"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault. ``name`` finds it again; ``function`` is the outermost one that it is in, empty at module level."""

    name: str
    module: str
    function: str
    line: int
    operator: str
    says: str


class _Found:
    def __init__(self, node: ast.AST, scope: "_Scope", operator: str, change: Change, becomes: str) -> None:
        self.node = node
        self.scope = scope
        self.operator = operator
        self.change = change
        self.becomes = becomes

    def says(self) -> str:
        """The place as it was, and what becomes of it."""
        return " ".join(ast.unparse(self.node).split())[:LONGEST] + self.becomes


@dataclass(frozen=True, slots=True)
class _Scope:
    function: ast.FunctionDef | None
    name: str
    names: tuple[str, ...]
    """What is being defined, at module level or in a class: a constant, a class and its field, a function's default."""


class _Finder:
    """Walks a module, and notes each place together with what would be changed there."""

    def __init__(self, tree: ast.Module) -> None:
        self.found: list[_Found] = []
        self._statements(tree, "body", _Scope(None, "", ()))

    def _note(self, node: ast.AST, scope: _Scope, operator: str, change: Change, becomes: str = "") -> None:
        self.found.append(_Found(node, scope, operator, change, becomes))

    # --- statements ---------------------------------------------------------------------------------------------------

    def _statements(self, owner: ast.AST, name: str, scope: _Scope) -> None:
        body: list[ast.stmt] = getattr(owner, name)
        for index, statement in enumerate(body):
            if not _is_docstring(statement):
                self._statement(body, index, statement, scope)

    def _statement(self, body: list[ast.stmt], index: int, statement: ast.stmt, scope: _Scope) -> None:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.TypeAlias():
                return
            case ast.If() if ast.unparse(statement.test) == "TYPE_CHECKING":
                return
            case ast.FunctionDef():
                self._function(statement, scope)
                return
            case ast.ClassDef():
                self._statements(statement, "body", _Scope(None, _dotted(scope, statement.name), scope.names))
                return
            case ast.Expr(value=ast.Call() as call) if _is_unseen(call):
                return
        self._removal(body, index, statement, scope)
        if scope.function is None:
            scope = _Scope(None, scope.name, _defined(statement, scope))
        match statement:
            case ast.AnnAssign(value=value):
                if value is not None:
                    self._expression(statement, "value", value, scope)
                return
            case ast.Raise():
                self._within(statement, scope, skip_texts=True)
                return
        self._within(statement, scope)

    def _function(self, function: ast.FunctionDef, scope: _Scope) -> None:
        defaults = scope
        if scope.function is None:
            defaults = _Scope(None, scope.name, (function.name,))
            scope = _Scope(function, _dotted(scope, function.name), ())
        for value in (*function.args.defaults, *function.args.kw_defaults):
            if value is not None:
                self._leaves(value, defaults)
        self._statements(function, "body", scope)

    def _removal(self, body: list[ast.stmt], index: int, statement: ast.stmt, scope: _Scope) -> None:
        if scope.function is None:
            return

        def replaced(by: ast.stmt) -> Change:
            return lambda: body.__setitem__(index, ast.copy_location(by, statement))

        match statement:
            case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign() | ast.Continue() | ast.Break():
                self._note(statement, scope, "statement removed", replaced(ast.Pass()))
            case ast.Assign(targets=[ast.Name()]):
                nothing = ast.Assign(statement.targets, ast.copy_location(ast.Constant(None), statement.value))
                if not _is_none(statement.value):
                    self._note(statement, scope, "None assigned", replaced(nothing))
            case ast.Assign():
                self._note(statement, scope, "statement removed", replaced(ast.Pass()))
            case ast.Return(value=value) if value is not None and not _is_none(value):
                nothing_back = ast.Return(ast.copy_location(ast.Constant(None), value))
                self._note(statement, scope, "None returned", replaced(nothing_back))

    # --- expressions --------------------------------------------------------------------------------------------------

    def _within(self, node: ast.AST, scope: _Scope, *, skip_texts: bool = False) -> None:
        for name, value in ast.iter_fields(node):
            match value:
                case [ast.stmt(), *_]:
                    self._statements(node, name, scope)
                case list():
                    for child in value:
                        if isinstance(child, ast.AST):
                            self._child(node, child, scope, skip_texts=skip_texts)
                case ast.expr() if name not in {"annotation", "returns"}:
                    self._expression(node, name, value, scope, skip_texts=skip_texts)
                case ast.AST() if name not in {"annotation", "returns"}:
                    self._child(node, value, scope, skip_texts=skip_texts)

    def _child(self, parent: ast.AST, child: ast.AST, scope: _Scope, *, skip_texts: bool) -> None:
        if isinstance(child, ast.expr):
            self._leaves(child, scope, skip_texts=skip_texts)
        else:
            if isinstance(child, ast.match_case) and child.guard is not None:
                self._note(child.guard, scope, "guard dropped", lambda: setattr(child, "guard", None))
            if isinstance(child, ast.comprehension):
                for position, test in enumerate(child.ifs):
                    self._note(test, scope, "filter dropped", _popped(child.ifs, position))
            self._within(child, scope, skip_texts=skip_texts)

    def _expression(
        self, parent: ast.AST, name: str, value: ast.expr, scope: _Scope, *, skip_texts: bool = False
    ) -> None:
        if name == "test" and not isinstance(value, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
            negated = ast.copy_location(ast.UnaryOp(ast.Not(), value), value)
            self._note(value, scope, "condition negated", lambda: setattr(parent, name, negated))
        if isinstance(value, ast.BoolOp):
            for position, operand in enumerate(value.values):
                self._note(operand, scope, "operand dropped", _without(parent, name, value, position))
        if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not):
            operand = value.operand
            self._note(value, scope, "not dropped", lambda: setattr(parent, name, operand))
        self._leaves(value, scope, skip_texts=skip_texts)

    def _leaves(self, node: ast.expr, scope: _Scope, *, skip_texts: bool = False) -> None:
        """Changes of the expression itself, and of what is in it."""
        match node:
            case ast.Compare():
                for position, op in enumerate(node.ops):
                    for other in _COMPARISONS[type(op)]:
                        becomes = f"  ⟶  {_SIGNS[other]}" + (f" at {position + 1}" if len(node.ops) > 1 else "")
                        self._note(node, scope, "comparison", _placed(node.ops, position, other()), becomes)
            case ast.BoolOp(op=op):
                other_op = ast.Or() if isinstance(op, ast.And) else ast.And()
                self._note(node, scope, "and/or", lambda: setattr(node, "op", other_op))
            case ast.BinOp(op=sign) if type(sign) in _OPERATORS:
                if not isinstance(node.left, (ast.JoinedStr,)) and not _is_text(node.left) and not _is_text(node.right):
                    changed = _OPERATORS[type(sign)]()
                    self._note(
                        node, scope, "operator", lambda: setattr(node, "op", changed), f"  ⟶  {type(changed).__name__}"
                    )
            case ast.Call():
                self._call(node, scope)
            case ast.Constant():
                self._constant(node, scope, skip_texts=skip_texts)
            case ast.List(elts=parts) | ast.Set(elts=parts) if len(parts) > 1:
                for position, part in enumerate(parts):
                    self._note(part, scope, "element dropped", _popped(parts, position))
            case ast.Dict(keys=keys, values=values) if len(keys) > 1:
                for position, value in enumerate(values):
                    self._note(keys[position] or value, scope, "entry dropped", _unpaired(keys, values, position))
            case ast.JoinedStr():
                skip_texts = True
        self._within(node, scope, skip_texts=skip_texts)

    def _call(self, call: ast.Call, scope: _Scope) -> None:
        if isinstance(call.func, ast.Name) and call.func.id in _FUNCTIONS:
            name, other = call.func, _FUNCTIONS[call.func.id]
            self._note(call, scope, "function", lambda: setattr(name, "id", other))
        args = call.args
        if len(args) > 1 and not any(isinstance(a, ast.Starred) for a in args[:2]) and not _is_even(call):
            self._note(call, scope, "arguments swapped", lambda: args.__setitem__(slice(0, 2), args[1::-1]))
            self._note(call, scope, "last argument dropped", _popped(args, len(args) - 1))
        for position, keyword in enumerate(call.keywords):
            if keyword.arg is not None:
                self._note(keyword, scope, "argument dropped", _popped(call.keywords, position))

    def _constant(self, node: ast.Constant, scope: _Scope, *, skip_texts: bool) -> None:
        def becomes(value: object) -> None:
            self._note(node, scope, "constant", lambda: setattr(node, "value", value), f"  ⟶  {value!r}")

        match node.value:
            case bool(value):
                becomes(not value)
            case int(value) | float(value):
                becomes(value + 1)
                if value > 0:
                    becomes(value - 1)
            case str(value) if value and not skip_texts:
                becomes(f"{value}-x")


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _is_text(value: ast.expr) -> bool:
    return isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and isinstance(value.value, str))


def _is_unseen(call: ast.Call) -> bool:
    root: ast.expr = call.func
    while isinstance(root, ast.Attribute):
        root = root.value
    return isinstance(root, ast.Name) and root.id in _UNSEEN


def _is_even(call: ast.Call) -> bool:
    """Whether it does not matter, or only to type checkers, which argument comes first."""
    return isinstance(call.func, ast.Name) and call.func.id in {"cast", "isinstance", "min", "max"}


def _dotted(scope: _Scope, name: str) -> str:
    return f"{scope.name}.{name}" if scope.name else name


def _defined(statement: ast.stmt, scope: _Scope) -> tuple[str, ...]:
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    names = {
        node.id for target in targets if target is not None for node in ast.walk(target) if isinstance(node, ast.Name)
    }
    owners = [part for part in scope.name.split(".") if part]
    return (*sorted(names), *owners)


def _placed(values: list[ast.cmpop], position: int, value: ast.cmpop) -> Change:
    return lambda: values.__setitem__(position, value)


def _popped(values: list[ast.keyword] | list[ast.expr], position: int) -> Change:
    def pop() -> None:
        values.pop(position)

    return pop


def _unpaired(keys: list[ast.expr | None], values: list[ast.expr], position: int) -> Change:
    def drop() -> None:
        del keys[position], values[position]

    return drop


def _without(parent: ast.AST, name: str, value: ast.BoolOp, position: int) -> Change:
    left = [operand for at, operand in enumerate(value.values) if at != position]

    def drop() -> None:
        setattr(parent, name, left[0] if len(left) == 1 else ast.copy_location(ast.BoolOp(value.op, left), value))

    return drop


@cache
def mutants_of(module: str, path: Path) -> Sequence[tuple[Mutant, tuple[str, ...]]]:
    """Every fault of a module, with the names that it is about where it is at module level."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    finder = _Finder(tree)
    found: list[tuple[Mutant, tuple[str, ...]]] = []
    times: Counter[tuple[str, str, str]] = Counter()
    for place in finder.found:
        says = place.says()
        key = (place.scope.name, place.operator, says)
        times[key] += 1
        name = f"{module}:{':'.join(key)}:{times[key]}"
        line = getattr(place.node, "lineno", 1)
        function = place.scope.name if place.scope.function is not None else ""
        found.append((Mutant(name, module, function, line, place.operator, says), place.scope.names))
    return found


def mutated(module: str, path: Path, name: str) -> CodeType:
    """The module's code with the fault in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    index = [mutant.name for mutant, _ in mutants_of(module, path)].index(name)
    _Finder(tree).found[index].change()
    return compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)


def sampled(mutants: Sequence[Mutant], size: int, seed: int) -> Sequence[Mutant]:
    """So many of them, in an order that the seed gives: any beginning of it is a sample as well.

    Each has its place by its own name. So a change of the code leaves most of a sample as it was.
    """
    return sorted(mutants, key=lambda mutant: sha256(f"{seed}/{mutant.name}".encode()).digest())[:size]


def nodes_of(code: CodeType) -> Iterator[CodeType]:
    """A code object and all in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nodes_of(constant)
