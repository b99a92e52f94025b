// node cut-page.mjs URL COUNT: the browser's own EventSource on an empty page, which comes back by itself, until so many messages of channel "cut" are there.

import { withPage } from './browser.mjs';
import { emit, listen } from './lines.mjs';

const [url, count] = process.argv.slice(2);

listen({});
await withPage(async page => {
  await page.goto(url);
  await page.evaluate(connect);
  emit({ step: 'open' });
  await page.waitForFunction(wanted => window.received.length >= wanted, Number(count));
  emit({ step: 'received', messages: await page.evaluate(() => window.received), opened: await page.evaluate(() => window.opened) });
});

/** Runs in the page. Returns when the connection is open for the first time. */
function connect() {
  window.received = [];
  window.opened = 0;
  const source = new EventSource('/channels/cut');
  source.addEventListener('message', ({ data }) => window.received.push(data));
  return new Promise(resolve => source.addEventListener('open', () => {
    window.opened++;
    resolve();
  }));
}
