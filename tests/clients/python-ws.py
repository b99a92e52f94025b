# python3 python-ws.py URL [DEFLATE]: Python's websockets. DEFLATE is as for ws.mjs: false, true, or the parameters of the extension's factory as JSON. It says
# and takes what ws.mjs does.

import asyncio
import hashlib
import json
import sys

from websockets.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

pattern = bytes(((i * 7) ^ (i >> 8)) & 255 for i in range(65536))


def emit(**value):
    print(json.dumps(value), flush=True)


def describe(data):
    """Text as it is; for the rest, and for what is long, enough to tell it from anything else."""
    content = data.encode() if isinstance(data, str) else data
    text = content.decode() if len(content) <= 1024 and isinstance(data, str) else None
    return {'length': len(content), 'sha256': hashlib.sha256(content).hexdigest(), 'data': text}


async def obey(socket, lines):
    """Runs the commands of the test. The end of the input ends the script, so it does not outlive its test."""
    while line := await lines.readline():
        name, _, argument = line.decode().rstrip('\n').partition(' ')
        try:
            await commands[name](socket, argument)
        except ConnectionClosed:
            pass  # receive says so.


async def ping(socket, text):
    pong = await socket.ping(text)
    await pong
    emit(event='pong', data=text)


async def send_bytes(socket, count):
    content = (pattern * (int(count) // len(pattern) + 1))[:int(count)]
    emit(event='sent', **describe(content))
    await socket.send(content)


commands = {
    'ping': ping,
    'send': lambda socket, text: socket.send(text),
    'sendBytes': send_bytes,
    'sendParts': lambda socket, text: socket.send(iter(text)),
    'close': lambda socket, code: socket.close(int(code)),
}


async def receive(socket):
    try:
        while True:
            data = await socket.recv()
            emit(event='message', isBinary=isinstance(data, bytes), **describe(data))
    except ConnectionClosed:
        emit(event='close', code=socket.close_code, reason=socket.close_reason)


def extensions_of(deflate):
    """What to offer: nothing, what the library offers by itself, or with these parameters."""
    if deflate is True:
        return {'compression': 'deflate'}
    factories = [ClientPerMessageDeflateFactory(**deflate)] if deflate else None
    return {'compression': None, 'extensions': factories}


async def main(url, deflate):
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with connect(url, max_size=None, **extensions_of(deflate)) as socket:
        offered = socket.request_headers.get('Sec-WebSocket-Extensions', '')
        emit(event='open', offered=offered, extensions=','.join(extension.name for extension in socket.extensions))
        tasks = [asyncio.create_task(obey(socket, lines)), asyncio.create_task(receive(socket))]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else True))
