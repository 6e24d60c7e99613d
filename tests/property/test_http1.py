"""However the bytes of requests are cut on their way, each body arrives whole and in order."""

import asyncio
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructure.history.owner.http1 import Request, Response, serve

Body = tuple[bytes, bool]
BODIES = st.lists(st.tuples(st.binary(max_size=200_000), st.booleans()), min_size=1, max_size=4)


def _encode(body: bytes, is_chunked: bool) -> bytes:
    if not is_chunked:
        return b"POST /x HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    pieces = [body[start : start + 70_000] for start in range(0, len(body), 70_000)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


async def _exchange(requests: list[bytes], cuts: list[float]) -> list[bytes]:
    async def echo(request: Request) -> Response:
        return Response(body=bytes(request.body))

    server = await serve(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    answers = []
    for request in requests:
        places = sorted({0, len(request), *(int(cut * len(request)) for cut in cuts)})
        for start, end in pairwise(places):
            writer.write(request[start:end])
            await writer.drain()
        answers.append(await _answer(reader))
    writer.close()
    await writer.wait_closed()
    await server.close(1.0)
    return answers


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


@settings(max_examples=40, deadline=None)
@given(bodies=BODIES, cuts=st.lists(st.floats(0, 1), max_size=6))
def test_bodies_arrive_whole_however_they_are_cut(bodies: list[Body], cuts: list[float]) -> None:
    requests = [_encode(*body) for body in bodies]
    assert asyncio.run(_exchange(requests, cuts)) == [body for body, _ in bodies]


@settings(max_examples=60, deadline=None)
@given(noise=st.binary(min_size=1, max_size=3000))
def test_noise_never_stops_the_server(noise: bytes) -> None:
    async def run() -> list[bytes]:
        async def echo(request: Request) -> Response:
            return Response(body=bytes(request.body))

        server = await serve(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(noise + b"\r\n\r\n")
        writer.write_eof()
        await reader.read()
        writer.close()
        good_reader, good = await asyncio.open_connection("127.0.0.1", server.port)
        good.write(_encode(b"after", is_chunked=False))
        answer = await _answer(good_reader)
        good.close()
        await server.close(1.0)
        return [answer]

    assert asyncio.run(run()) == [b"after"]
