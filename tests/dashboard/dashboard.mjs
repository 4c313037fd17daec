// node dashboard.mjs URL TOKEN FOLDER [PREFIXED_URL]: the dashboard in a browser, against a proxy that runs with traffic. Pictures go to FOLDER.
import fs from 'node:fs';
import { allow, assert, check, complaints, open, runAll, until } from './browser.mjs';
import { nameless, weakContrast } from './page-checks.mjs';

const [url, token, folder, prefixed] = process.argv.slice(2);
fs.mkdirSync(folder, { recursive: true });
const api = async (path) => (await fetch(url + path)).json();
const views = ['overview', 'pools', 'sessions', 'refused', 'explain', 'certificates', 'config'];
const picture = (page, name) => page.screenshot({ path: `${folder}/${name}.png` });
const show = async (page, hash) => { await page.evaluate((to) => { location.hash = to; }, hash); await page.waitForTimeout(400); };
const row = (page, cluster, member) => page.locator('.grid .row', { hasText: member }).filter({ hasNot: page.locator('.group') }).first();

const page = await open(url, 'light', { colorScheme: 'light' });

check('page is small and paints at once', async () => {
  const size = (await (await fetch(url)).arrayBuffer()).byteLength;
  assert(size <= 200 * 1024, `${size} bytes`);
  const times = [];
  for (let i = 0; i < 3; i++) {
    const fresh = await open(url, 'paint');
    times.push(await fresh.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime));
    await fresh.context().close();
  }
  // A machine that is busy with other tests may take longer; the figure is for people.
  assert(Math.min(...times) < 1500, `${times} ms`);
  return `${size} bytes, first paint ${times.map((time) => time.toFixed(0)).join(', ')} ms`;
});

check('policy forbids everything but the page itself', async () => {
  const policy = (await fetch(url)).headers.get('content-security-policy');
  assert(!policy.includes('unsafe') && policy.includes("default-src 'none'") && /script-src 'sha256-[^']+'/.test(policy), policy);
  const ran = await page.evaluate(() => { const script = document.createElement('script'); allowedHere = 0; script.textContent = 'allowedHere = 1'; document.head.append(script); return allowedHere; }).catch(() => 0);
  assert(ran === 0, 'a script that is not ours has run');
});
allow('Content Security Policy');
allow('Executing inline script violates');

check('pools show what the API says, under traffic', async () => {
  await show(page, '#pools');
  for (const cluster of await api('api/clusters')) {
    for (const member of cluster.destinations) {
      await until(`${cluster.id}/${member.id}`, async () => {
        const now = (await api('api/clusters')).find((one) => one.id === cluster.id).destinations.find((one) => one.id === member.id);
        const cells = await page.evaluate((id) => {
          const head = [...document.querySelectorAll('.hcell')].map((cell) => cell.textContent);
          const rows = [...document.querySelectorAll('.grid .row:not([hidden]):not(.group)')];
          const found = rows.find((one) => one.children[1].firstChild.data === id);
          return found && Object.fromEntries(head.map((name, i) => [name, found.children[i].textContent]));
        }, member.id);
        const whole = (value) => value.toLocaleString('en');
        const expected = { Cur: whole(now.active_sessions), Max: whole(now.most_sessions), Total: whole(now.total_sessions), Errors: whole(now.dial_failures + now.failed_sessions) };
        return Object.entries(expected).every(([key, value]) => cells?.[key] === value) || { cells, expected };
      }, 20000);
    }
  }
});

check('sessions show what the API says', async () => {
  await show(page, '#sessions');
  await until('sessions', async () => {
    const ids = await page.evaluate(() => [...document.querySelectorAll('.grid .row:not([hidden])')].map((one) => one.children[0].textContent));
    const known = (await api('api/sessions')).map((one) => one.id);
    return (ids.length > 0 && ids.filter((id) => known.includes(id)).length >= Math.min(3, known.length)) || { ids, known };
  });
  await page.fill('[aria-label="Search sessions"]', 'nobody has this name');
  await until('an empty list', () => page.locator('.grid .empty').isVisible());
  await page.fill('[aria-label="Search sessions"]', '');
});

check('refused connections have reason and bytes', async () => {
  await show(page, '#refused');
  const [first] = await api('api/refused');
  await until('rows', async () => (await page.locator('.grid .row:not([hidden])').count()) > 0);
  await page.locator('.grid .row', { hasText: first.reason }).first().click();
  await page.locator('#drawer[open]').waitFor();
  assert((await page.locator('#drawer').innerText()).includes('First bytes'), 'no bytes');
  await page.keyboard.press('Escape');
});

check('explain answers as the API does', async () => {
  await show(page, '#explain/public/shop.example.com/203.0.113.9');
  const answer = await api('api/explain?listener=public&sni=shop.example.com&client=203.0.113.9');
  await until('the way', async () => (await page.locator('.path').innerText().catch(() => '')).includes(answer.route));
  await show(page, '#explain/public/nobody.example.net/');
  await until('the end', async () => (await page.locator('.path').innerText()).includes('NoRoute'));
});

check('keyboard walks rows, opens and closes', async () => {
  await show(page, '#pools');
  await page.evaluate(() => document.body.focus());
  await page.keyboard.press('Tab');
  assert(await page.evaluate(() => document.activeElement.className === 'skip' || document.activeElement !== document.body), 'Tab goes nowhere');
  await page.locator('.grid .row[tabindex="0"]').first().focus();
  await page.keyboard.press('ArrowDown');
  const focused = await page.evaluate(() => document.activeElement.getAttribute('aria-rowindex'));
  assert(focused === '3', `row ${focused}`);
  await page.keyboard.press('Enter');
  await page.locator('#drawer[open]').waitFor();
  await page.keyboard.press('Escape');
  await until('a closed drawer', async () => !(await page.locator('#drawer[open]').count()));
});

check('buttons need the right token, and work', async () => {
  allow('401');
  await page.click('#access');
  await page.fill('#token', 'not-the-token');
  await page.keyboard.press('Enter');
  await until('a refusal', () => page.locator('[role=alert]').isVisible());
  await page.fill('#token', token);
  await page.keyboard.press('Enter');
  await until('unlocked', async () => (await page.locator('#access').innerText()).includes('Unlocked'));
  assert(await page.evaluate(() => !document.cookie && ![...Object.values(localStorage)].some((value) => value.includes('token-of'))), 'the token is kept where it should not be');
  await show(page, '#pools/shop/web-1');
  for (const [button, state, pill] of [['Drain', 'drain', 'Draining'], ['Maintenance', 'maintenance', 'Maintenance'], ['Ready', 'ready', 'Up']]) {
    await page.getByRole('button', { name: button, exact: true }).click();
    await until(state, async () => (await api('api/clusters')).find((one) => one.id === 'shop').destinations.find((one) => one.id === 'web-1').state === state);
    await until(pill, async () => (await page.locator('#drawer .pill').first().innerText()) === pill);
  }
  await page.keyboard.press('Escape');
  await show(page, '#sessions');
  await until('a session', async () => (await page.getByRole('button', { name: /^Close session/ }).count()) > 0);
  const name = await page.getByRole('button', { name: /^Close session/ }).first().getAttribute('aria-label');
  await page.getByRole('button', { name, exact: true }).click();
  await until('closed', async () => (await fetch(`${url}api/sessions/${name.split(' ').pop()}`)).status === 404);
  await show(page, '#config');
  await until('the change in the history', async () => (await page.locator('.timeline').innerText()).includes('state Ready → Drain'));
});

check('history survives a reload of the page', async () => {
  const fresh = await open(url, 'history');
  await until('a line', async () => (await fresh.locator('.tile .line').first().getAttribute('d'))?.includes('L') === true, 20000);
  await fresh.context().close();
});

for (const scheme of ['light', 'dark']) {
  check(`readable and named, ${scheme}`, async () => {
    const one = await open(url, scheme, { colorScheme: scheme });
    const faults = [];
    for (const view of views) {
      await show(one, `#${view}`);
      await one.waitForTimeout(900);
      faults.push(...(await one.evaluate(weakContrast)).map((fault) => `${view}: ${fault}`), ...(await one.evaluate(nameless)).map((fault) => `${view}: ${fault}`));
      await picture(one, `${scheme}-${view}`);
    }
    await one.context().close();
    assert(faults.length === 0, faults.join('\n'));
  });
}

check('fits a phone', async () => {
  const phone = await open(url, 'phone', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
  for (const view of [...views, 'pools/shop/web-1']) {
    await show(phone, `#${view}`);
    await phone.waitForTimeout(700);
    const [wide, screen] = await phone.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert(wide <= screen, `${view} is ${wide} wide on ${screen}`);
    await picture(phone, `phone-${view.replaceAll('/', '-')}`);
  }
  await phone.context().close();
});

check('theme goes round and stays', async () => {
  const one = await open(url, 'theme', { colorScheme: 'light' });
  const color = () => one.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await color();
  await one.click('#theme');
  await one.click('#theme');
  const dark = await color();
  assert(light !== dark, 'no difference');
  await one.reload();
  assert(await color() === dark, 'forgotten');
  await one.context().close();
});

if (prefixed) {
  check('works below a prefix', async () => {
    const one = await open(prefixed, 'prefix');
    await show(one, '#pools');
    await until('rows', async () => (await one.locator('.grid .row:not([hidden])').count()) > 0);
    await one.context().close();
  });
}

check('many members scroll without stutter', async () => {
  const many = await open(prefixed ?? url, 'many');
  await show(many, '#pools');
  const total = (await (await fetch(`${prefixed ?? url}api/clusters`)).json()).reduce((sum, cluster) => sum + cluster.destinations.length, 0);
  const frames = await many.evaluate(async () => {
    const grid = document.querySelector('.grid');
    const times = [];
    let last = performance.now();
    for (let i = 0; i < 90; i++) {
      grid.scrollTop += 500;
      await new Promise(requestAnimationFrame);
      times.push(performance.now() - last);
      last = performance.now();
    }
    grid.scrollTop = 0;
    return times.sort((a, b) => a - b);
  });
  const rows = await many.locator('.grid .row').count();
  await many.context().close();
  assert(rows < 60, `${rows} rows exist`);
  return `${total} members, ${rows} rows, frame ${frames[45].toFixed(1)} ms in the middle, ${frames[85].toFixed(1)} ms at 95 %`;
});

check('picture for the documents', async () => {
  const one = await open(url, 'document', { colorScheme: 'light', viewport: { width: 1280, height: 800 } });
  await until('a history', async () => (await one.locator('.tile .line').first().getAttribute('d'))?.split('L').length >= 4, 30000);
  await one.waitForTimeout(1500);
  await picture(one, 'dashboard');
  await one.context().close();
});

check('nobody complains', async () => assert(complaints.length === 0, complaints.join('\n')));

await runAll();
