// SPDX-License-Identifier: MIT
// A daemon of one's own: ports, folders, an API, and an end.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, until } from './lib_tap.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const BINARY = process.env.TORRENTD ?? join(ROOT, 'build/release/torrentd');
const live = new Set();

process.on('exit', () => live.forEach(p => p.kill('SIGKILL')));

function freePort() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export class Daemon {
  static async start(options = {}) {
    const d = new Daemon();
    d.root = mkdtempSync(join(tmpdir(), 'td-browser-'));
    d.downloads = join(d.root, 'downloads');
    mkdirSync(d.downloads);
    [d.port, d.peerPort] = [await freePort(), await freePort()];
    d.url = `http://127.0.0.1:${d.port}/`;
    d.options = {
      'api.port': d.port, 'peers.port': d.peerPort, 'state.dir': join(d.root, 'state'), 'download.dir': d.downloads, 'log.level': 'info',
      'tracker.allow_private': true, 'peers.allow_local': true, 'lan.limited': true, 'dht.enabled': false, 'peers.lsd': false, 'portmap.enabled': false,
      ...options,
    };
    await d.begin();
    return d;
  }

  async begin() {
    const log = openSync(join(this.root, 'log'), 'a');
    this.process = spawn(BINARY, Object.entries(this.options).map(([k, v]) => `--${k}=${v}`), {
      stdio: ['ignore', 'ignore', log],
      env: { PATH: process.env.PATH, HOME: this.root },
    });
    live.add(this.process);
    await until(async () => {
      check(this.process.exitCode === null, 'the daemon ended; its log:', this.log());
      return fetch(`${this.url}healthz`).then(r => r.status === 200 || r.status === 401, () => false);
    }, () => `the daemon answers; its log: ${this.log()}`);
  }

  log() {
    return readFileSync(join(this.root, 'log'), 'utf8').slice(-3000);
  }

  async end(signal = 'SIGTERM') {
    const gone = new Promise(done => this.process.once('exit', done));
    this.process.kill(signal);
    await gone;
    live.delete(this.process);
  }

  async close() {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.end();
    rmSync(this.root, { recursive: true, force: true });
  }

  async post(path, params = {}, body = null) {
    const reply = await fetch(`${this.url}${path}?${new URLSearchParams(params)}`, { method: 'POST', body, headers: { 'X-Requested-With': 'test', ...this.headers } });
    check(reply.ok, path, 'answered', reply.status, await reply.text());
  }

  async rows() {
    const reply = await (await fetch(`${this.url}api/v1/torrents?limit=500`, { headers: this.headers })).json();
    return reply.add.map(values => Object.fromEntries(reply.fields.map((f, i) => [f, values[i]])));
  }

  async row(torrent) {
    return (await this.rows()).find(row => row.hash === torrent.hash);
  }

  add(torrent, params = {}) {
    return this.post('addtorrentfile', params, torrent.data);
  }

  // Puts the content on disk, adds the torrent, and waits until it seeds.
  async seed(torrent) {
    torrent.write(this.downloads);
    await this.add(torrent);
    await until(async () => (await this.row(torrent))?.state === 'seeding', `${torrent.name} seeds`);
  }

  state(torrent, ...states) {
    return until(async () => states.includes((await this.row(torrent))?.state), `${torrent.name} is ${states}`);
  }
}
