// SPDX-License-Identifier: MIT
// Who gets in by the page: by the token, by a link, and what one who may only add is shown.
import { createServer, request } from 'node:http';
import { Daemon } from './lib_daemon.mjs';
import { closeBrowser, Page } from './lib_page.mjs';
import { check, equal, run, test, until } from './lib_tap.mjs';
import { Torrent } from './lib_torrent.mjs';

const TOKEN = '8f1c9a0e5b7d4c2f8f1c9a0e5b7d4c2f';
const daemon = await Daemon.start({ 'api.token': TOKEN });
daemon.headers = { Authorization: `Bearer ${TOKEN}` };
const one = new Torrent('behind-a-door.iso', 100_000);
await daemon.seed(one);

const call = async (path, body) => {
  const reply = await fetch(`${daemon.url}${path}`, {
    method: 'POST', body: JSON.stringify(body), headers: { ...daemon.headers, 'Content-Type': 'application/json', 'X-Requested-With': 'test' },
  });
  check(reply.ok, path, reply.status);
  return reply.json();
};

test('who has the token signs in, stays in, and signs out', async () => {
  const p = await Page.open(daemon.url);
  await p.page.getByRole('heading', { name: 'Let this device in' }).waitFor();
  await p.axe('sign in');
  await p.picture('pair-390x844-light');
  await p.page.getByLabel('Code or token').fill('wrong-token-wrong-token-wrong');
  await p.button('Sign in').click();
  await until(async () => (await p.page.locator('#pair-wrong').innerText()).length > 3, 'it is told in words');
  await p.page.getByLabel('Code or token').fill(TOKEN);
  await p.button('Sign in').click();
  await p.row(one.name).waitFor();
  await p.page.reload();
  await p.row(one.name).waitFor();
  await p.button('Settings').click();
  await p.button('Sign out').click();
  await p.page.getByRole('heading', { name: 'Let this device in' }).waitFor();
  await p.close();
});

test('a link pairs once, and a code by hand', async () => {
  const pairing = await call('api/v1/pairings', {});
  const p = await Page.open(`${daemon.url}#/pair/${pairing.secret}`);
  await p.row(one.name).waitFor();
  check(!p.page.url().includes(pairing.secret), 'the code is no longer in the address');
  await p.close();
  const again = await Page.open(`${daemon.url}#/pair/${pairing.secret}`);
  await again.page.getByRole('heading', { name: 'Let this device in' }).waitFor();
  await until(async () => (await again.page.locator('#pair-wrong').innerText()).length > 3, 'it is told in words');
  const { code } = await call('api/v1/pairings', {});
  await again.page.getByLabel('Code or token').fill(`${code.slice(0, 4)} ${code.slice(4)}`.toLowerCase());
  await again.button('Sign in').click();
  await again.row(one.name).waitFor();
  await again.close();
});

test('a device lets another one in, and puts it out again', async () => {
  const first = await Page.open(`${daemon.url}#/pair/${(await call('api/v1/pairings', {})).secret}`);
  await first.row(one.name).waitFor();
  await first.button('Settings').click();
  await first.button('Devices and programs').click();
  await first.button('Let another device in').click();
  const code = await first.page.locator('.pairing-code').innerText(), other = await Page.open(daemon.url);
  await other.page.getByLabel('Name of this device').fill('the other phone');
  await other.page.getByLabel('Code or token').fill(code);
  await other.button('Sign in').click();
  await other.row(one.name).waitFor();
  await first.page.reload();
  await first.button('Settings').click();
  await first.button('Devices and programs').click();
  await first.button('Revoke the other phone').click();
  await first.page.getByText('the other phone is out').waitFor();
  await other.page.reload();
  await other.page.getByRole('heading', { name: 'Let this device in' }).waitFor();
  await Promise.all([first.close(), other.close()]);
});

test('who may only add sees no way to remove', async () => {
  const { secret } = await call('api/v1/pairings', { scopes: 'read,add' });
  const p = await Page.open(`${daemon.url}#/pair/${secret}`);
  await p.row(one.name).waitFor();
  equal(await p.button(`Stop ${one.name}`).count(), 0);
  equal(await p.button('Select').count(), 0);
  await p.row(one.name).locator('.row-open').click();
  await p.page.getByRole('heading', { name: one.name }).waitFor();
  equal(await p.button('Remove').count(), 0);
  check(await p.button('Add').count() === 1, 'adding is there');
  await p.close();
});

// A proxy that takes /x away from what it passes on.
async function stripping(port) {
  const server = createServer((from, to) => {
    const up = request({ port, method: from.method, path: from.url.slice(2), headers: from.headers }, reply => {
      to.writeHead(reply.statusCode, reply.headers);
      reply.pipe(to);
    });
    up.on('error', () => to.destroy());
    from.pipe(up);
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  return server;
}

test('beneath a path it signs in, stays in and asks for nothing elsewhere', async () => {
  const inside = await Daemon.start({ 'api.token': TOKEN, 'api.base_path': '/x' }), proxy = await stripping(inside.port);
  inside.headers = daemon.headers;
  const file = new Torrent('beneath-a-path.iso', 100_000);
  await inside.seed(file);
  for (const port of [inside.port, proxy.address().port]) {
    const p = await Page.open(`http://127.0.0.1:${port}/x/`);
    await p.page.getByLabel('Code or token').fill(TOKEN);
    await p.button('Sign in').click();
    await p.row(file.name).waitFor();
    await p.page.reload();
    await p.row(file.name).waitFor();
    check(p.asked.every(path => path.startsWith('/x/')), 'asked for', p.asked.filter(path => !path.startsWith('/x/')));
    const [cookie] = await p.context.cookies();
    equal(cookie.path, '/x');
    await p.close();
  }
  proxy.closeAllConnections();
  proxy.close();
  await inside.close();
});

await run(async () => {
  await closeBrowser();
  await daemon.close();
});
