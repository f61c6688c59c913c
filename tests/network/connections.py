"""`connections.py try SECONDS HOST:PORT…` prints those to which a connection comes about;
`connections.py listen HOST:PORT…` takes connections until it is killed."""
import asyncio, sys


def halves(target):
    host, port = target.rsplit(":", 1)
    return host, int(port)


async def try_one(target, seconds):
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(*halves(target)), seconds)
    except (OSError, asyncio.TimeoutError):
        return
    writer.close()
    print(target)


async def main(what, *words):
    if what == "try":
        await asyncio.gather(*(try_one(target, float(words[0])) for target in words[1:]))
    else:
        for target in words:
            await asyncio.start_server(lambda _, writer: writer.close(), *halves(target))
        await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
