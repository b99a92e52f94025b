// node ws.mjs URL: npm's WebSocket client as it comes, which offers permessage-deflate. Commands: ping TEXT, send TEXT, close CODE.

import { createHash } from 'node:crypto';
import WebSocket from 'ws';
import { emit, listen } from './lines.mjs';

let offered = '';
const socket = new WebSocket(process.argv[2], {
  finishRequest(request) {
    offered = request.getHeader('Sec-WebSocket-Extensions') ?? '';
    request.end();
  },
});
socket.on('open', () => emit({ event: 'open', offered, extensions: socket.extensions }));
socket.on('message', (data, isBinary) => emit({ event: 'message', isBinary, ...describe(data) }));
socket.on('pong', data => emit({ event: 'pong', data: data.toString() }));
socket.on('error', error => emit({ event: 'error', message: error.message }));
socket.on('close', (code, reason) => {
  emit({ event: 'close', code, reason: reason.toString() });
  process.exit();
});

listen({
  ping: text => socket.ping(text),
  send: text => socket.send(text),
  close: code => socket.close(Number(code)),
});

/** Text as it is; for the rest, and for what is long, enough to tell it from anything else. */
function describe(data) {
  return {
    length: data.length,
    sha256: createHash('sha256').update(data).digest('hex'),
    data: data.length <= 1024 ? data.toString('utf8') : null,
  };
}
