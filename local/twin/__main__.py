"""Runs the twin until SIGTERM or SIGINT."""

import os
import signal
import sys
import threading

from local.twin.server import TwinServer
from local.twin.settings import TwinSettings
from local.twin.twin import Twin


def main() -> int:
    """Serve; returns the exit status."""
    settings = TwinSettings.read(sys.argv[1:], os.environ)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    twin = Twin(settings)
    try:
        server = TwinServer(settings.port, twin.handle)
    except OSError as error:
        sys.stderr.write(f"twin: cannot listen on port {settings.port}: {error.strerror}\n")
        return 1
    twin.start()
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    serving.start()
    sys.stdout.write(f"twin: {server.url}, callbacks through {settings.aws_endpoint_url}, seed {settings.seed}\n")
    sys.stdout.flush()
    stopping.wait()
    server.shutdown()
    server.server_close()
    if left := twin.stop():
        sys.stderr.write(f"twin: stopped with {left} callbacks not sent\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
