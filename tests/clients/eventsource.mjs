// node eventsource.mjs URL [EVENT…]: npm's EventSource as it comes. Without names it listens to events that have none.

import { EventSource } from 'eventsource';
import { emit, listen } from './lines.mjs';

const [url, ...names] = process.argv.slice(2);
const source = new EventSource(url);
source.addEventListener('open', () => emit({ event: 'open' }));
source.addEventListener('error', error => emit({ event: 'error', code: error.code ?? null, isFinal: source.readyState === EventSource.CLOSED }));
for (const name of names.length > 0 ? names : ['message']) {
  source.addEventListener(name, event => emit({ event: 'message', type: event.type, id: event.lastEventId, data: event.data }));
}

listen({
  close: () => {
    source.close();
    process.exit();
  },
});
