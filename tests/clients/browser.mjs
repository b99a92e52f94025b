// Debian's Chromium, without a window and without a word to anybody but the server under test.

import { chromium } from 'playwright-core';

const waitMs = 20_000;

/** Runs an action on a fresh page, and ends the script. What the page complained about on its console, and what it did not catch, is in its problems. */
export async function withPage(action) {
  // The empty name stands for a fresh profile. When the process exits, playwright kills the browser and removes the profile, whatever the exit's cause.
  const context = await chromium.launchPersistentContext('', {
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
  const page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(waitMs);
  const problems = [];
  page.on('console', message => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', error => problems.push(String(error)));
  await action(page, problems);
  process.exit();
}
