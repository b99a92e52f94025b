// uWebSockets.js: its own publish/subscribe for WebSocket, its cork and write for event streams.
import { createRequire } from 'node:module';

// One package per major version of Node.js: a native addon fits exactly one.
const uws = createRequire(import.meta.url)(`@uwsjs/linux-x64-${process.versions.node.split('.')[0]}`);
const port = Number(process.argv[2]);
const streams = new Map();

const behavior = {
  compression: uws.DISABLED,
  idleTimeout: 44, // seconds; the last 16 of them are for the pong, so it pings after 28
  maxBackpressure: 1024 * 1024, // beyond it publish drops messages in silence; the default is 64 KiB
};

const app = uws.App();

app.ws('/ws/:channel', {
  ...behavior,
  upgrade(response, request, context) {
    response.upgrade(
      { channel: request.getParameter(0) },
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context);
  },
  open(client) {
    client.subscribe(client.getUserData().channel);
  },
});

app.ws('/echo', {
  ...behavior,
  message(client, message, isBinary) {
    client.send(message, isBinary, false);
  },
});

app.get('/sse/:channel', (response, request) => {
  const channel = request.getParameter(0);
  let subscribers = streams.get(channel);
  if (subscribers === undefined) {
    streams.set(channel, subscribers = new Set());
  }
  subscribers.add(response);
  response.onAborted(() => subscribers.delete(response));
  response.cork(() => {
    response.writeHeader('Content-Type', 'text/event-stream').writeHeader('Cache-Control', 'no-cache').write(':\n\n');
  });
});

app.post('/pub/:channel', (response, request) => {
  const channel = request.getParameter(0);
  const parts = [];
  response.onAborted(() => { });
  response.onData((part, isLast) => {
    parts.push(Buffer.from(new Uint8Array(part))); // a copy: the memory is only lent for this call
    if (!isLast) {
      return;
    }
    const message = Buffer.concat(parts);
    app.publish(channel, message, false, false);
    writeToStreams(streams.get(channel), `data: ${message.toString().replaceAll('\n', '\ndata: ')}\n\n`);
    response.cork(() => response.writeStatus('204 No Content').endWithoutBody());
  });
});

function writeToStreams(subscribers, event) {
  for (const subscriber of subscribers ?? []) {
    subscriber.cork(() => subscriber.write(event));
  }
}

setInterval(() => {
  for (const subscribers of streams.values()) {
    writeToStreams(subscribers, ':\n\n');
  }
}, 25_000);

app.listen('127.0.0.1', port, listening => {
  if (!listening) {
    process.exit(1);
  }
});
