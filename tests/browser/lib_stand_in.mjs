// SPDX-License-Identifier: MIT
// What stands in for the daemon's list and events, in front of a real one that gives all the rest: as many torrents as one
// likes, changes when one likes, and everything that can go wrong between a page and its daemon.
import { createServer, request } from 'node:http';

const FIELDS = ['n', 'hash', 'name', 'state', 'error', 'why', 'progress', 'size', 'wanted', 'left', 'down', 'up', 'eta', 'ratio', 'peers', 'added', 'path'];

export const hashOf = n => n.toString(16).padStart(40, '0');
const seeding = n => ({
  n, hash: hashOf(n), name: `torrent-${String(n).padStart(5, '0')}.iso`, state: 'seeding', error: null, why: 'seeding_idle', progress: 1, size: 1e9, wanted: 1e9, left: 0,
  down: 0, up: 0, eta: -1, ratio: 1.5, peers: 0, added: 1_700_000_000 + n, path: '/srv',
});

// What a proxy or a daemon in trouble answers, by the name of the trouble.
const TROUBLES = {
  proxy: reply => reply.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad Gateway</h1>'),
  login: reply => reply.writeHead(302, { Location: 'https://sso.example.org/login' }).end(),
  foreign: reply => reply.writeHead(403, { 'Content-Type': 'text/html' }).end('<h1>Who are you?</h1>'),
  host: reply => reply.writeHead(421, { 'Content-Type': 'application/problem+json' }).end('{"detail":"this name is not in api.hosts"}'),
  ours: reply => reply.writeHead(401, { 'Content-Type': 'application/problem+json' }).end('{"detail":"a token is needed"}'),
  broken: reply => reply.writeHead(500, { 'Content-Type': 'application/problem+json' }).end('{"detail":"the database is locked"}'),
  silent: () => undefined,
};

export class StandIn {
  // count torrents; each answer and event has `delay` ms to go.
  static async start(daemon, { count = 0, delay = 0 } = {}) {
    const s = new StandIn();
    Object.assign(s, { daemon, delay, epoch: '00000000000000aa', rev: 1, trouble: null, rows: new Map(), streams: new Set(), asked: [], sent: 0 });
    for (let n = 1; n <= count; n++) s.rows.set(n, seeding(n));
    s.server = createServer((ask, reply) => s.answer(ask, reply));
    await new Promise(done => s.server.listen(0, '127.0.0.1', done));
    s.url = `http://127.0.0.1:${s.server.address().port}/`;
    return s;
  }

  answer(ask, reply) {
    const url = new URL(ask.url, this.url);
    this.asked.push(url.pathname);
    if (this.trouble && url.pathname.startsWith('/api/')) TROUBLES[this.trouble](reply);
    else if (url.pathname === '/api/v1/torrents' && ask.method === 'GET') setTimeout(() => this.json(reply, this.list(url.searchParams)), this.delay);
    else if (url.pathname === '/api/v1/events') this.stream(url, reply);
    else this.pass(ask, reply);
  }

  json(reply, value) {
    reply.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
  }

  pass(ask, reply) {
    const to = new URL(ask.url, this.daemon.url);
    const onward = request(to, { method: ask.method, headers: { ...ask.headers, host: to.host, ...(ask.headers.origin ? { origin: to.origin } : {}) } }, answer => {
      reply.writeHead(answer.statusCode, answer.headers);
      answer.pipe(reply);
    });
    onward.on('error', () => reply.destroy());
    ask.pipe(onward);
  }

  list(params) {
    const head = { epoch: this.epoch, now: Date.now() / 1000, fields: FIELDS, set: [], gone: [] };
    if (params.get('since') === `${this.epoch}.${this.rev}`) return { ...head, rev: this.rev, reset: false, add: [], next: null };
    const cursor = Number(params.get('cursor') ?? 0), limit = Number(params.get('limit') ?? Infinity), all = [...this.rows.values()];
    const some = all.slice(cursor, cursor + limit), next = cursor + limit < all.length ? cursor + limit : null;
    return { ...head, rev: this.rev, reset: true, add: some.map(row => FIELDS.map(f => row[f])), next };
  }

  stream(url, reply) {
    reply.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    this.streams.add(reply);
    reply.on('close', () => this.streams.delete(reply));
    this.event('hello', { epoch: this.epoch, rev: this.rev, now: Date.now() / 1000, version: 'stand-in', every: 1000 }, [reply]);
    this.event('stats', { down: 0, up: 0, down_limit: 0, up_limit: 0, counts: {} }, [reply]);
  }

  event(name, data, to = this.streams) {
    const text = `event: ${name}\nid: ${this.epoch}.${this.rev}\ndata: ${JSON.stringify(data)}\n\n`;
    this.sent += text.length;
    for (const reply of to) reply.write(text);
  }

  // set: [[n, {field: value}]], add: rows, gone: numbers.
  tell({ set = [], add = [], gone = [] }) {
    this.rev++;
    for (const [n, patch] of set) Object.assign(this.rows.get(n) ?? {}, patch);
    for (const row of add) this.rows.set(row.n, row);
    for (const n of gone) this.rows.delete(n);
    this.event('torrents', { epoch: this.epoch, rev: this.rev, now: Date.now() / 1000, reset: false, fields: FIELDS, add: add.map(row => FIELDS.map(f => row[f])), set, gone });
  }

  // So many rows change, from the newest on, as rates and progress do.
  churn(rows) {
    const most = Math.max(...this.rows.keys()), set = [];
    for (let i = 0; i < rows; i++) {
      const n = most - ((this.rev * 7 + i) % Math.min(this.rows.size, 4 * rows));
      set.push([n, { up: 1000 + ((this.rev * 3701 + i * 97) % 90_000), ratio: 1.5 + (this.rev % 100) / 100, peers: (this.rev + i) % 40 }]);
    }
    this.tell({ set });
  }

  static row(n, more = {}) {
    return { ...seeding(n), ...more };
  }

  cut() {
    for (const reply of this.streams) reply.destroy();
  }

  async close() {
    this.cut();
    this.server.closeAllConnections();
    await new Promise(done => this.server.close(done));
  }
}
