// node ws.mjs URL [DEFLATE]: npm's WebSocket client. DEFLATE is its perMessageDeflate as JSON: false, true, or parameters; as it comes, it offers
// permessage-deflate. Commands: ping TEXT, send TEXT, sendBytes COUNT, sendParts TEXT (a fragment per letter), close CODE.

import { createHash } from 'node:crypto';
import WebSocket from 'ws';
import { emit, listen } from './lines.mjs';

const [url, deflate] = process.argv.slice(2);
let offered = '';
const socket = new WebSocket(url, {
  perMessageDeflate: deflate === undefined ? true : JSON.parse(deflate),
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
  sendBytes: count => {
    const bytes = Buffer.alloc(Number(count)).map((_, i) => (i * 7) ^ (i >> 8));
    emit({ event: 'sent', ...describe(bytes) });
    socket.send(bytes);
  },
  sendParts: text => [...text].forEach((letter, i, letters) => socket.send(letter, { fin: i === letters.length - 1 })),
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
