"""Starts each peer of peers.json and speaks its dialect with raw sockets: subscribe, publish, echo, end. Run it through check.sh."""

import base64
import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
REPLY_S = 5
passed = failed = 0


def check(what, action):
    global passed, failed
    try:
        note = action()
        passed += 1
        print(f"ok   {what}{f' ({note})' if note else ''}", flush=True)
    except Exception as error:  # a check that cannot be carried out has failed, whatever the reason
        failed += 1
        print(f"FAIL {what}: {type(error).__name__}: {error}", flush=True)


class Wire:
    """A socket with a buffer."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), REPLY_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the peer closed")
        self.buffer += data

    def take(self, count):
        while len(self.buffer) < count:
            self.fill()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def until(self, mark):
        while mark not in self.buffer:
            self.fill()
        return self.take(self.buffer.index(mark) + len(mark))

    def close(self):
        self.socket.close()


class WebSocket:
    def __init__(self, port, path, protocol=None):
        self.wire = Wire(port)
        key = base64.b64encode(os.urandom(16)).decode()
        extra = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
        self.wire.send((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n").encode())
        head = self.wire.until(b"\r\n\r\n").decode()
        if " 101 " not in head.split("\r\n")[0]:
            raise RuntimeError(head.split("\r\n")[0])
        if protocol and f"sec-websocket-protocol: {protocol}" not in head.lower():
            raise RuntimeError(f"subprotocol {protocol} was not accepted")

    def send(self, payload, opcode):
        mask = os.urandom(4)
        length = struct.pack(">B", 0x80 | len(payload)) if len(payload) < 126 else struct.pack(">BH", 0xFE, len(payload))
        self.wire.send(bytes([0x80 | opcode]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def receive(self):
        """The next data frame's payload; answers pings on the way."""
        while True:
            first, second = self.wire.take(2)
            length = second & 0x7F
            if length == 126:
                length = struct.unpack(">H", self.wire.take(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self.wire.take(8))[0]
            payload = self.wire.take(length)
            opcode = first & 0x0F
            if opcode == 9:
                self.send(payload, 10)
            elif opcode == 8:
                raise EOFError(f"close frame {payload!r}")
            elif opcode < 3:
                return payload

    def close(self):
        self.wire.close()


class PlainSubscriber:
    """ws: one message, one text frame."""

    def __init__(self, port, target, channel):
        self.socket = WebSocket(port, target)

    def receive(self):
        return self.socket.receive()

    def echo(self, text):
        self.socket.send(text, 1)
        return self.receive()

    def close(self):
        self.socket.close()


class SseSubscriber:
    def __init__(self, port, target, channel):
        self.wire = Wire(port)
        self.wire.send(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode())
        head = self.wire.until(b"\r\n\r\n").decode()
        if " 200 " not in head.split("\r\n")[0] or "text/event-stream" not in head:
            raise RuntimeError(head)
        self.chunked = "chunked" in head.lower()

    def receive(self):
        # Good enough for a check: a chunk's size line may stand before the data line, never inside it.
        while True:
            line = self.wire.until(b"\n")
            if line.startswith(b"data: "):
                return line[6:].rstrip(b"\r\n")

    def close(self):
        self.wire.close()


class SignalRSubscriber:
    def __init__(self, port, target, channel):
        self.socket = WebSocket(port, target)
        self.records = []
        self.send({"protocol": "json", "version": 1})
        self.expect(lambda record: record == {})
        self.send({"type": 1, "invocationId": "0", "target": "Join", "arguments": [channel]})
        self.expect(lambda record: record.get("type") == 3 and record.get("invocationId") == "0" and "error" not in record)

    def send(self, record):
        self.socket.send(json.dumps(record, separators=(",", ":")).encode() + b"\x1e", 1)

    def expect(self, wanted):
        while True:
            while not self.records:
                self.records = [json.loads(part) for part in self.socket.receive().split(b"\x1e") if part]
            record = self.records.pop(0)
            if wanted(record):
                return record

    def receive(self):
        return self.expect(lambda record: record.get("type") == 1 and record["target"] == "m")["arguments"][0].encode()

    def echo(self, text):
        self.send({"type": 1, "target": "Echo", "arguments": [text.decode()]})
        return self.receive()

    def close(self):
        self.socket.close()


class WebSocketWire(Wire):
    """A byte stream inside binary frames: frame boundaries mean nothing."""

    def __init__(self, port, target, protocol=None):
        self.frames = WebSocket(port, target, protocol)
        self.buffer = b""

    def send(self, data):
        self.frames.send(data, 2)

    def fill(self):
        self.buffer += self.frames.receive()

    def close(self):
        self.frames.close()


class Nats:
    def __init__(self, wire):
        self.wire = wire
        if not self.wire.until(b"\r\n").startswith(b"INFO "):
            raise RuntimeError("no INFO")
        self.wire.send(b'CONNECT {"verbose":false,"pedantic":false,"lang":"check","version":"1"}\r\nPING\r\n')
        self.line(b"PONG")

    def line(self, verb):
        while True:
            line = self.wire.until(b"\r\n")
            if line.startswith(b"PING"):
                self.wire.send(b"PONG\r\n")
            elif line.startswith(b"-ERR"):
                raise RuntimeError(line)
            elif line.startswith(verb):
                return line

    def publish(self, subject, text):
        self.wire.send(b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(text), text))

    def receive(self):
        length = int(self.line(b"MSG ").split()[-1])
        return self.wire.take(length + 2)[:-2]


class NatsSubscriber(Nats):
    def __init__(self, port, target, channel):
        super().__init__(WebSocketWire(port, target))
        self.channel = channel
        self.wire.send(f"SUB {channel} 1\r\nPING\r\n".encode())
        self.line(b"PONG")

    def echo(self, text):
        self.publish(self.channel, text)
        return self.receive()

    def close(self):
        self.wire.close()


class Mqtt:
    def __init__(self, wire, client):
        self.wire = wire
        self.packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x3c" + self.text(client))
        if self.read() != (0x20, b"\x00\x00"):
            raise RuntimeError("no CONNACK")

    @staticmethod
    def text(value):
        return struct.pack(">H", len(value)) + value.encode()

    def packet(self, kind, body):
        length, left = b"", len(body)
        while True:
            length += bytes([left % 128 | (0x80 if left > 127 else 0)])
            left //= 128
            if not left:
                break
        self.wire.send(bytes([kind]) + length + body)

    def read(self):
        kind = self.wire.take(1)[0]
        length, shift = 0, 0
        while True:
            part = self.wire.take(1)[0]
            length |= (part & 0x7F) << shift
            shift += 7
            if part < 128:
                return kind, self.wire.take(length)

    def publish(self, topic, text):
        self.packet(0x30, self.text(topic) + text)

    def receive(self):
        while True:
            kind, body = self.read()
            if kind & 0xF0 == 0x30:
                return body[2 + struct.unpack(">H", body[:2])[0]:]


class MqttSubscriber(Mqtt):
    def __init__(self, port, target, channel):
        super().__init__(WebSocketWire(port, target, "mqtt"), f"check-{os.urandom(4).hex()}")
        self.channel = channel
        self.packet(0x82, b"\x00\x01" + self.text(channel) + b"\x00")
        if self.read() != (0x90, b"\x00\x01\x00"):
            raise RuntimeError("no SUBACK")
        self.packet(0xC0, b"")
        if self.read() != (0xD0, b""):
            raise RuntimeError("no PINGRESP")

    def echo(self, text):
        self.publish(self.channel, text)
        return self.receive()

    def close(self):
        self.wire.close()


SUBSCRIBERS = {"ws": PlainSubscriber, "sse": SseSubscriber, "signalr": SignalRSubscriber, "nats": NatsSubscriber, "mqtt": MqttSubscriber}


def publish(dialect, port, target, text):
    wire = Wire(port)
    if dialect == "http":
        wire.send(f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)
        status = wire.until(b"\r\n").split()[1]
        if not status.startswith(b"2"):
            raise RuntimeError(f"POST answered {status.decode()}")
    elif dialect == "nats":
        nats = Nats(wire)
        nats.publish(target, text)
        wire.send(b"PING\r\n")
        nats.line(b"PONG")
    else:
        Mqtt(wire, f"check-publisher-{os.urandom(4).hex()}").publish(target, text)
    wire.close()


def free_port():
    """Two ports in a row, below the range that outgoing connections use."""
    for _ in range(100):
        port = random.randrange(20000, 30000, 2)
        with contextlib.suppress(OSError):
            for candidate in (port, port + 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", candidate))
            return port
    raise RuntimeError("no free ports")


def session_members(session):
    members = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text().rsplit(")", 1)[1].split()
            if int(fields[3]) == session and fields[0] != "Z":
                members.append(int(entry.parent.name))
    return members


def listening(port):
    """The IPv4 and IPv6 addresses, in the kernel's hexadecimal, that listen on the port."""
    addresses = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            address, hex_port = fields[1].split(":")
            if fields[3] == "0A" and int(hex_port, 16) == port:
                addresses.append(address)
    return addresses


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


def check_peer(name, entries):
    folder = HERE / name
    version = []

    def install():
        subprocess.run([folder / "install.sh"], check=True, timeout=600)
        again = subprocess.run([folder / "install.sh"], check=True, timeout=60, capture_output=True)
        if again.stdout or again.stderr:
            raise RuntimeError("the second install is not quiet")
        run = subprocess.run(["bash", "-c", entries[0]["versionCommand"]], cwd=folder, capture_output=True, text=True, check=True)
        version.append(run.stdout.strip())
        if not version[0]:
            raise RuntimeError("no version")
        return version[0]

    check(f"{name}: installs", install)
    if not version:
        return

    port = free_port()
    ports = {port} | {port + entry["publish"]["portOffset"] for entry in entries}
    server = subprocess.Popen([folder / "run.sh", str(port)], stdin=subprocess.DEVNULL, start_new_session=True)
    open_clients = []
    try:
        def start():
            begun = time.monotonic()
            wait_for(lambda: server.poll() is not None or all(listening(each) for each in ports), 20, "nobody listens")
            if server.poll() is not None:
                raise RuntimeError(f"ended with {server.returncode}")
            if any(address != "0100007F" for each in ports for address in listening(each)):
                raise RuntimeError("listens beyond 127.0.0.1")
            return f"{(time.monotonic() - begun) * 1000:.0f} ms"

        check(f"{name}: listens on 127.0.0.1 only", start)

        for entry in entries:
            check_transport(entry, port, open_clients)

        def end():
            begun = time.monotonic()
            os.kill(server.pid, signal.SIGTERM)
            server.wait(10)
            wait_for(lambda: not session_members(server.pid), 2, f"left behind: {session_members(server.pid)}")
            if any(listening(each) for each in ports):
                raise RuntimeError("something still listens")
            return f"{(time.monotonic() - begun) * 1000:.0f} ms"

        check(f"{name}: is gone after SIGTERM, with clients connected", end)
    finally:
        for client in open_clients:
            client.close()
        for member in session_members(server.pid):
            os.kill(member, signal.SIGKILL)


def check_transport(entry, port, open_clients):
    title = f"{entry['name']} {entry['transport']}"
    channel = f"c{random.randrange(1000)}"
    subscribers = []

    def subscribe():
        for _ in range(2):
            target = entry["subscribe"].replace("{channel}", channel)
            subscribers.append(SUBSCRIBERS[entry["dialect"]](port, target, channel))
            open_clients.append(subscribers[-1])
        time.sleep(0.1)  # plain subscribers get no acknowledgement

    def deliver():
        first = None
        for number in range(3):
            text = f'message "{number}" of {title} ü {"x" * 100 * number}'.encode()
            begun = time.monotonic()
            publish(entry["publish"]["dialect"], port + entry["publish"]["portOffset"], entry["publish"]["path"].replace("{channel}", channel), text)
            publish(entry["publish"]["dialect"], port + entry["publish"]["portOffset"], entry["publish"]["path"].replace("{channel}", channel + "x"), b"not for us")
            for subscriber in subscribers:
                got = subscriber.receive()
                if got != text:
                    raise RuntimeError(f"got {got!r}")
            first = first or time.monotonic() - begun
        return f"{first * 1000:.0f} ms"

    def echo():
        target = entry["echo"] if entry["echo"].startswith("/") else entry["subscribe"]
        client = SUBSCRIBERS[entry["dialect"]](port, target, f"echo{random.randrange(1000)}")
        open_clients.append(client)
        begun = time.monotonic()
        for number in range(3):
            text = f"echo {number}".encode()
            got = client.echo(text)
            if got != text:
                raise RuntimeError(f"got {got!r}")
        return f"{(time.monotonic() - begun) * 1000 / 3:.1f} ms"

    check(f"{title}: subscribes", subscribe)
    check(f"{title}: delivers what is published, to both subscribers and of this channel only", deliver)
    if entry["echo"]:
        check(f"{title}: echoes", echo)


def main():
    peers = {}
    for entry in json.loads((HERE / "peers.json").read_text()):
        # RawPush and the bare loop have no version to install, and tests of their own.
        if "versionCommand" in entry:
            peers.setdefault(entry["name"], []).append(entry)
    unknown = [name for name in sys.argv[1:] if name not in peers]
    if unknown:
        sys.exit(f"no such peer: {', '.join(unknown)}")
    for name in sys.argv[1:] or peers:
        check_peer(name, peers[name])
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if failed == 0 and passed > 0 else 1)


main()
