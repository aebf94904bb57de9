"""Ports that nobody listens on. As a program, for another network namespace: ADDRESS COUNT."""

import random
import socket
import sys

# Below those that the kernel gives to outgoing connections: a node that was killed finds its port
# free when it starts again.
FIRST, LAST = 10000, 32000


def free_ports(address: str, count: int) -> list[int]:
    ports: list[int] = []
    for port in random.sample(range(FIRST, LAST), 100 * count):
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except OSError as error:
                reason = error
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise reason


if __name__ == "__main__":
    print(*free_ports(sys.argv[1], int(sys.argv[2])))
