// node own-page.mjs CASE URL [COUNT]: the browser's own WebSocket and EventSource on an empty page, with more than a few short messages. The page must come from the
// server itself, as in bare-page.mjs.

import { withPage } from './browser.mjs';
import { emit, listen } from './lines.mjs';

const [name, url, count] = process.argv.slice(2);

const cases = {
  /** Both clients come back to another run of the server, and take with them where they have been. */
  async restart(page) {
    const sent = [];
    page.on('request', request => request.url().includes('/channels/') && sent.push(request.allHeaders()));
    await page.evaluate(comeBack);
    emit({ step: 'open' });
    await page.waitForFunction(() => window.seen.webSocket.length === 1 && window.seen.eventSource.length === 1);
    emit({ step: 'before', ...await page.evaluate(() => window.seen) });
    await page.waitForFunction(() => window.seen.webSocket.length === 3 && window.seen.eventSource.length === 3);
    const lastEventIds = (await Promise.all(sent)).map(headers => headers['last-event-id'] ?? null);
    emit({ step: 'after', ...await page.evaluate(() => window.seen), lastEventIds });
  },

  /** Bytes up to the longest message there and back, and one byte more. */
  async echo(page) {
    const offers = [];
    const protocol = await page.context().newCDPSession(page);
    protocol.on('Network.webSocketWillSendHandshakeRequest', ({ request }) => offers.push(request.headers['Sec-WebSocket-Extensions']));
    await protocol.send('Network.enable');
    emit({ step: 'echoed', ...await page.evaluate(echo, Number(count)), offers });
  },

  /** A long text and long bytes, then many short messages: what came on each client, the long ones by their digest. */
  async flood(page) {
    await page.evaluate(flood, Number(count));
    emit({ step: 'open' });
    emit({ step: 'received', ...await page.evaluate(() => window.received) });
  },
};

listen({});
await withPage(async (page, problems) => {
  await page.goto(url);
  await cases[name](page);
  emit({ step: 'done', problems });
});

// What follows runs in the page.

function comeBack() {
  window.seen = { webSocket: [], eventSource: [] };
  const source = new EventSource('/channels/again');
  const note = ({ type, lastEventId, data }) => window.seen.eventSource.push({ type, id: lastEventId, data });
  source.addEventListener('message', note);
  source.addEventListener('rawpush.gap', note);

  // What EventSource does by itself takes a few lines over a WebSocket.
  const connect = id => new Promise(resolve => {
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/channels/again?format=json&after=${id}`);
    socket.addEventListener('open', resolve);
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(data);
      id = message.id;
      window.seen.webSocket.push(message);
    });
    socket.addEventListener('close', () => setTimeout(() => resolve(connect(id)), 100));
  });
  return Promise.all([connect('latest'), new Promise(resolve => source.addEventListener('open', resolve, { once: true }))]);
}

async function echo(bytesMax) {
  const open = () => new Promise(resolve => {
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/echo`);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => resolve(socket));
  });
  const socket = await open();
  const extensions = socket.extensions;
  const equal = [];
  for (const length of [0, 1, 125, 126, 65535, 65536, bytesMax]) {
    const sent = new Uint8Array(length).map((_, i) => (i * 7) ^ (i >> 8));
    const back = new Promise(resolve => socket.addEventListener('message', resolve, { once: true }));
    socket.send(sent);
    const received = new Uint8Array((await back).data);
    equal.push(received.length === length && received.every((value, i) => value === sent[i]));
  }

  const closed = new Promise(resolve => socket.addEventListener('close', ({ code }) => resolve(code)));
  socket.send(new Uint8Array(bytesMax + 1));
  return { extensions, equal, closeCode: await closed };
}

async function flood(wanted) {
  const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/channels/flood`);
  const source = new EventSource('/channels/flood');
  socket.binaryType = 'arraybuffer';
  const describe = async data => {
    if (typeof data === 'string' && data.length < 100) {
      return data;
    }

    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map(value => value.toString(16).padStart(2, '0')).join('');
  };
  const collect = target => new Promise(resolve => {
    const messages = [];
    target.addEventListener('message', ({ data }) => {
      messages.push(data);
      if (messages.length === wanted) {
        resolve(Promise.all(messages.map(describe)));
      }
    });
  });
  window.received = Promise.all([collect(socket), collect(source)]).then(([webSocket, eventSource]) => ({ webSocket, eventSource }));
  const opened = target => new Promise(resolve => target.addEventListener('open', resolve, { once: true }));
  await Promise.all([opened(socket), opened(source)]);
}
