// npm ws as its README shows it: no compression, bufferutil beside it, a broadcast loop, and a ping every 30 s that ends who did not answer the last one.
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

const port = Number(process.argv[2]);
const channels = new Map();
const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

const http = createServer((request, response) => {
  const channel = /^\/pub\/([^/?]+)$/.exec(request.url)?.[1];
  if (request.method !== 'POST' || channel === undefined) {
    request.resume();
    response.writeHead(404).end();
    return;
  }
  const parts = [];
  request.on('data', part => parts.push(part));
  request.on('end', () => {
    const message = Buffer.concat(parts);
    for (const client of channels.get(channel) ?? []) {
      if (client.readyState === WebSocket.OPEN) {
        client.send(message, { binary: false });
      }
    }
    response.writeHead(204).end();
  });
});

http.on('upgrade', (request, socket, head) => {
  const channel = /^\/ws\/([^/?]+)$/.exec(request.url)?.[1];
  if (channel === undefined && request.url !== '/echo') {
    socket.destroy();
    return;
  }
  webSockets.handleUpgrade(request, socket, head, client => {
    client.isAlive = true;
    client.on('pong', onPong);
    client.on('error', onError);
    if (channel === undefined) {
      client.on('message', onEcho);
    } else {
      join(channel, client);
    }
  });
});

function join(channel, client) {
  let clients = channels.get(channel);
  if (clients === undefined) {
    channels.set(channel, clients = new Set());
  }
  clients.add(client);
  client.on('close', () => clients.delete(client));
}

function onEcho(message, isBinary) {
  this.send(message, { binary: isBinary });
}

function onPong() {
  this.isAlive = true;
}

// A client that breaks off is not our fault; without a listener it would end the process.
function onError() {
}

setInterval(() => {
  for (const client of webSockets.clients) {
    if (!client.isAlive) {
      client.terminate();
      continue;
    }
    client.isAlive = false;
    client.ping();
  }
}, 30_000);

http.keepAliveTimeout = 75_000; // the publisher may pause for longer than the default 5 s
http.listen({ port, host: '127.0.0.1', backlog: 4096 });
