// node live-page.mjs CASE URL: what a person does on the live page, and what the page shows then.

import { withPage } from './browser.mjs';
import { emit, listen } from './lines.mjs';

const [name, url] = process.argv.slice(2);
const columns = ['ws', 'sse', 'poll'];

const cases = {
  async publish(page) {
    await publish(page, 'Hello, columns');
    await rows(page, 1);
    await page.waitForFunction(() => document.querySelectorAll('.latency:not(:empty)').length === 3);
  },

  async html(page) {
    await publish(page, '<img src="nowhere" onerror="document.title = \'broken\'"><b>bold</b>');
    await rows(page, 1);
  },

  async invalidChannel(page) {
    await page.fill('#channel', 'not valid');
    await page.press('#channel', 'Enter');
    await page.waitForFunction(() => ['#ws-detail', '#sse-detail', '#poll-detail'].every(detail => document.querySelector(detail).textContent.includes('must not')));
    await page.fill('#message', 'To nobody');
    await page.click('#publish');
    await page.waitForSelector('#publish-result[data-outcome]');
  },

  async otherChannel(page) {
    await publish(page, 'On the first channel');
    await rows(page, 1);
    await page.fill('#channel', 'sports.running');
    await page.press('#channel', 'Enter');
    await allInState(page, 'open');
    await publish(page, 'On the second');
    await rows(page, 1);
  },

  async severalChannels(page) {
    await page.fill('#channel', 'a,error,message');
    await page.press('#channel', 'Enter');
    await allInState(page, 'open');
    emit({ step: 'open' });
    await rows(page, 3);
  },

  async burst(page) {
    emit({ step: 'open' });
    await page.waitForFunction(() => [...document.querySelectorAll('.count')].every(count => count.textContent === '250 messages'));
  },

  async restart(page) {
    emit({ step: 'open' });
    await page.waitForFunction(() => [...document.querySelectorAll('.column')].every(column => column.dataset.state !== 'open'));
    emit({ step: 'lost', closeCode: await page.getAttribute('#ws', 'data-close-code') });
    await allInState(page, 'open');
    await publish(page, 'After the restart');
    await rows(page, 1);
  },
};

listen({});
await withPage(async (page, problems) => {
  await page.goto(url);
  await allInState(page, 'open');
  await cases[name](page);
  emit({ step: 'shown', ...await shown(page), problems });
});

async function publish(page, text) {
  await page.fill('#message', text);
  await page.press('#message', 'Enter');
  await page.waitForSelector('#publish-result[data-outcome="published"]');
}

function allInState(page, state) {
  return page.waitForFunction(
    wanted => [...document.querySelectorAll('.column')].every(column => column.dataset.state === wanted), state);
}

function rows(page, count) {
  return page.waitForFunction(
    wanted => [...document.querySelectorAll('.messages')].every(list => list.children.length === wanted), count);
}

/** Everything that a test may want to know about the page. */
function shown(page) {
  return page.evaluate(keys => {
    const text = selector => document.querySelector(selector).textContent;
    const read = row => ({
      id: row.dataset.id,
      channel: row.querySelector('.channel').textContent,
      data: row.querySelector('.data').textContent,
      latency: row.querySelector('.latency').textContent,
      elements: row.querySelector('.data').childElementCount,
    });
    const column = key => ({
      state: text(`#${key}-state`),
      detail: text(`#${key}-detail`),
      count: text(`#${key}-count`),
      rows: [...document.querySelectorAll(`#${key}-messages > li`)].map(read),
    });
    return {
      title: document.title,
      result: text('#publish-result'),
      message: document.querySelector('#message').value,
      ...Object.fromEntries(keys.map(key => [key, column(key)])),
    };
  }, columns);
}
