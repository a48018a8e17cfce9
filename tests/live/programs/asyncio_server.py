# A server on asyncio: a task beside it, work in a thread, memory that must stay intact.
import asyncio
import hashlib
import json

requests = 0
ticks = 0
state = [{"index": index, "name": f"item {index}"} for index in range(20_000)]
before = json.dumps(state)


async def tick():
    global ticks
    while True:
        await asyncio.sleep(0.02)
        ticks += 1


def digest():
    with open(__file__, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


expected = digest()


async def answer(reader, writer):
    global requests
    lasts = True
    while lasts:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            break
        lasts = b"connection: close" not in request.lower()
        requests += 1
        number, seen = requests, ticks
        found = await asyncio.to_thread(digest)
        await asyncio.sleep(0.05)
        while ticks == seen:
            await asyncio.sleep(0.005)
        intact = json.dumps(state) == before and found == expected
        body = json.dumps({"number": number, "intact": intact}).encode()
        rest = "keep-alive" if lasts else "close"
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: {rest}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
    writer.close()


async def main():
    ticking = asyncio.create_task(tick())
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(ticking, server.serve_forever())


asyncio.run(main())
