// Chromium, and what every check of the dashboard needs.
import { chromium } from 'playwright-core';

const [executablePath] = [process.env.CHROMIUM ?? '/usr/bin/chromium'];

export const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

export const complaints = [];
const allowed = new Set();

// A message of the browser's console that a check has brought about on purpose.
export const allow = (text) => allowed.add(text);

export async function open(url, name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('console', (message) => {
    // A session that is looked at may end at that very moment.
    if (message.text().includes('404') && message.location().url.includes('/api/sessions/')) return;
    if (['error', 'warning'].includes(message.type()) && ![...allowed].some((text) => message.text().includes(text))) complaints.push(`${name}: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => complaints.push(`${name}: ${error.stack}`));
  page.on('request', (request) => { if (!request.url().startsWith(url) && !request.url().startsWith('data:')) complaints.push(`${name} asks elsewhere: ${request.url()}`); });
  await page.goto(url);
  await page.locator('#status.up').waitFor({ timeout: 15000 });
  return page;
}

export function assert(condition, message) {
  if (!condition) throw new Error(message);
}

export async function until(what, test, limit = 15000) {
  const end = Date.now() + limit;
  for (;;) {
    const last = await test();
    if (last === true) return;
    if (Date.now() > end) throw new Error(`${what}: not within ${limit} ms; last: ${JSON.stringify(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const checks = [];
export const check = (name, run) => checks.push({ name, run });

export async function runAll() {
  let failed = 0;
  for (const { name, run } of checks) {
    try {
      const said = await run();
      console.log(`ok ${name}${said ? `: ${said}` : ''}`);
    } catch (error) {
      failed++;
      console.log(`not ok ${name}: ${error.stack}`);
    }
  }
  await browser.close();
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}
