"""The server's half of SOCKS5 (RFC 1928), for a proxy that leads to one target whatever is asked for."""

BYTES = {1: 4, 4: 16}  # of an address, by its kind; a name tells its own length


async def greet(reader, writer):
    """Answers as if the target were reached. Fails with OSError or EOFError."""
    _, methods = await reader.readexactly(2)
    await reader.readexactly(methods)
    writer.write(b"\x05\x00")  # no authentication
    _, _, _, kind = await reader.readexactly(4)
    await reader.readexactly((BYTES.get(kind) or (await reader.readexactly(1))[0]) + 2)
    writer.write(b"\x05\x00\x00\x01" + bytes(6))
