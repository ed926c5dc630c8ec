"""The log of every send the twin accepted, kept on disk so that long runs stay small in memory."""

import json
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.twin.exchange import Stream
from local.twin.timestamps import iso

_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class AcceptedSend:
    """One message to one recipient; ``at`` is in epoch seconds."""

    at: float
    provider: str
    to: str
    tags: Mapping[str, str]
    content: Mapping[str, Any]
    id: str

    def line(self) -> bytes:
        """The send as one line of JSON."""
        document = {
            "at": iso(self.at),
            "provider": self.provider,
            "to": self.to,
            "tags": self.tags,
            "content": self.content,
            "id": self.id,
        }
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"


class SendLedger:
    """Accepted sends in order, as JSON Lines."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Without a name: the system removes it whatever happens to the process.
        self._file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - lives as long as the ledger
        self._length = 0
        self._count = 0

    def __len__(self) -> int:
        with self._lock:
            return self._count

    def record(self, sends: Iterable[AcceptedSend]) -> None:
        """Add sends at the end."""
        lines = [send.line() for send in sends]
        with self._lock:
            self._file.write(b"".join(lines))
            self._length += sum(map(len, lines))
            self._count += len(lines)

    def stream(self) -> Stream:
        """All lines there are now; what is added while they are read is not among them."""
        with self._lock:
            self._file.flush()
            length = self._length
        return Stream(length, self._chunks(length))

    def _chunks(self, length: int) -> Iterator[bytes]:
        position = 0
        while position < length:
            # pread leaves the position for writing alone.
            chunk = os.pread(self._file.fileno(), min(_CHUNK_BYTES, length - position), position)
            position += len(chunk)
            yield chunk

    def close(self) -> None:
        """Forget everything."""
        self._file.close()
