#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A page of another site in Chromium, against names and addresses, http and https, with and without a proxy."""
import http.server
import json
import os
import shutil
import socketserver
import subprocess
import tempfile
import threading
from contextlib import ExitStack

import lib_tap
from lib_daemon import Daemon, free_port
from lib_proxy import NAME, Nginx
from lib_tap import Skip, case, check, equal, wait_for
from lib_torrent import Torrent

TOKEN = '8f1c9a0e5b7d4c2f'

# Everything a page can make a browser send to another site without asking it.
ATTACK = '''<!DOCTYPE html><meta name="referrer" content="%(referrer)s"><body><script>
const targets = %(targets)s;
function add(tag, set) { const e = document.createElement(tag); set(e); document.body.appendChild(e); return e; }
const waits = [];
for (const url of targets) {
  for (const [tag, name] of [['img', 'src'], ['script', 'src'], ['iframe', 'src'], ['video', 'src']])
    add(tag, e => { e[name] = url + '&by=' + tag; });
  add('link', e => { e.rel = 'stylesheet'; e.href = url; });
  add('iframe', e => { e.name = 'f' + waits.length; });
  add('form', e => { e.method = 'POST'; e.action = url; e.target = 'f' + waits.length; }).submit();
  for (const method of ['GET', 'POST'])
    waits.push(fetch(url, {mode: 'no-cors', method, credentials: 'include'}).catch(() => 0));
  waits.push(fetch(url).catch(() => 0));
  waits.push(fetch(url, {headers: {'X-Requested-With': 'x'}}).catch(() => 0));
  if (navigator.sendBeacon) navigator.sendBeacon(url, '');
}
const settled = Promise.all(waits);
Promise.all([Promise.race([settled, new Promise(r => setTimeout(r, 10000))]), new Promise(r => setTimeout(r, 1500))])
  .then(() => fetch('/done'));
</script>'''

# An application that the daemon lists as one that may.
APP = '''<!DOCTYPE html><body><script>
(async () => {
  let said = [];
  for (const url of %(targets)s)
    try {
      const r = await fetch(url, {headers: {'Authorization': 'Bearer %(token)s', 'X-Requested-With': 'x'}});
      said.push(r.status + ' ' + await r.text());
    } catch (e) { said.push('failed ' + e); }
  await fetch('/done', {method: 'POST', body: JSON.stringify(said)});
})();
</script>'''


class Site:
    """A web server with one page; done is set when the page says so, said is what it sent with that."""

    def __init__(self):
        self.done, self.said, self.page, self.asked = threading.Event(), None, '', []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                body = site.page.encode() if self.path == '/' else b''
                self.send_response(200)
                self.send_header('Content-Type', 'text/html')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                if self.path == '/done':
                    site.done.set()

            def do_POST(self):
                site.said = self.rfile.read(int(self.headers.get('Content-Length', 0)))
                self.do_GET()

            def log_message(self, *_):
                pass

        self.server = socketserver.ThreadingTCPServer(('127.0.0.1', free_port()), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def browse(site, name, page):
    """Opens the page as http://name:port/ in a browser of its own and waits until the page is done."""
    binary = shutil.which('chromium') or shutil.which('chromium-browser')
    if binary is None:
        raise Skip('chromium is not installed')
    site.page, site.said = page, None
    site.done.clear()
    with tempfile.TemporaryDirectory(prefix='td-browser-', ignore_cleanup_errors=True) as home:
        process = subprocess.Popen(
            [binary, '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
             '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-proxy-server',
             '--disable-dev-shm-usage', '--ignore-certificate-errors', f'--user-data-dir={home}/data',
             '--remote-debugging-port=0', f'--host-resolver-rules=MAP *.example 127.0.0.1, MAP {NAME} 127.0.0.1',
             f'http://{name}:{site.port}/'],
            env={**os.environ, 'HOME': home}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_for(site.done.is_set, lambda: f'the page is done; asked so far: {site.asked}', 120)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()


@case
def a_page_of_another_site_changes_nothing_and_a_listed_one_may():
    with ExitStack() as all_:
        site = Site()
        all_.callback(site.close)
        app = f'http://app.example:{site.port}'
        common = {'api.hosts': NAME, 'api.origins': app, 'api.token': TOKEN}
        open_, closed = [all_.enter_context(Daemon({**common, 'api.local': local})) for local in ('on', 'off')]
        t = Torrent('browser', 1000)
        bearer = {'Authorization': f'Bearer {TOKEN}'}
        for d in (open_, closed):
            reply = d.http('POST', '/addtorrentfile', {'start': 'false'}, t.data, bearer)
            equal(reply.status, 200, reply.body)
        proxies = [all_.enter_context(Nginx(d, token=TOKEN, tls=tls)) for d, tls in
                   ((closed, True), (closed, False), (open_, False))]
        bases = [f'http://{host}:{d.api_port}' for d in (open_, closed)
                 for host in (NAME, 'localhost', '127.0.0.1', '0.0.0.0', '[::ffff:7f00:1]')]
        bases += [n.url() for n in proxies]
        urls = [f'{base}/removetorrent?infohash={t.hex}&delete=true' for base in bases]
        for referrer in ('no-referrer', 'unsafe-url'):
            browse(site, 'evil.example', ATTACK % {'targets': json.dumps(urls), 'referrer': referrer})
            for n in proxies:
                check(n.passed('/removetorrent', 'GET'), 'the browser did not send it: this proves nothing')
            for d in (open_, closed):
                seen = json.loads(d.http('GET', '/alldata', headers=bearer).body)['sessions']
                equal(len(seen), 1, f'torrents left, referrer {referrer}')
        urls = [f'{base}/stoptorrent?infohash={t.hex}' for base in
                (f'http://{NAME}:{closed.api_port}', f'http://127.0.0.1:{open_.api_port}', proxies[0].url())]
        browse(site, 'app.example', APP % {'targets': json.dumps(urls), 'token': TOKEN})
        equal(json.loads(site.said), ['200 ok\n'] * 3, 'what the application was told')


if __name__ == '__main__':
    lib_tap.main()
