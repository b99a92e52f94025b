// node bare-page.mjs URL: the browser's own WebSocket and EventSource on an empty page, each with three messages of channel "bare". The page must come from
// the server itself: Chromium lets no page that it thinks came from elsewhere open a WebSocket to a loopback address.

import { withPage } from './browser.mjs';
import { emit, listen } from './lines.mjs';

const url = process.argv[2];

listen({});
await withPage(async (page, problems) => {
  await page.goto(url);
  await page.evaluate(connect);
  emit({ step: 'open' });
  emit({ step: 'received', ...await page.evaluate(() => window.received), problems });
});

/** Runs in the page. Returns when both are open; window.received is then a promise of what came. */
async function connect() {
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/channels/bare');
  const source = new EventSource('/channels/bare');
  socket.binaryType = 'arraybuffer';
  const collect = target => new Promise(resolve => {
    const events = [];
    target.addEventListener('message', ({ data, lastEventId }) => {
      const bytes = data instanceof ArrayBuffer ? [...new Uint8Array(data)] : null;
      events.push({ id: lastEventId, text: bytes === null ? data : null, bytes });
      if (events.length === 3) {
        resolve(events);
      }
    });
  });
  window.received = Promise.all([collect(socket), collect(source)]).then(([webSocket, eventSource]) => ({ webSocket, eventSource }));
  const opened = target => new Promise(resolve => target.addEventListener('open', resolve, { once: true }));
  await Promise.all([opened(socket), opened(source)]);
}
