// How a script and the test that runs it talk: one JSON object per line of standard output, one command per line of standard input.

import { createInterface } from 'node:readline';

export function emit(value) {
  process.stdout.write(JSON.stringify(value) + '\n');
}

/** Runs a handler for each line of input: "ping hello" calls handlers.ping('hello'). The end of the input ends the script, so none outlives its test. */
export function listen(handlers) {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', line => {
    const space = line.indexOf(' ');
    const [name, argument] = space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)];
    handlers[name](argument);
  });
  lines.on('close', () => process.exit());
}
