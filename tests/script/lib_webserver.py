# SPDX-License-Identifier: MIT
"""An HTTP server that has a torrent's files, and misbehaves as it is told."""
import http.server
import threading
import urllib.parse

CHUNK = 65536


class WebServer:
    """with WebServer(torrent) as w: w.url() is the directory; w.rule(path, range) may answer in its own way.

    A rule returns None for what a good server does, or (status, headers, body); `asked` lists (path, range).
    """

    def __init__(self, torrent, host='127.0.0.1', rule=None, ranges=True):
        self.rule, self.ranges, self.asked, self.connections = rule, ranges, [], 0
        self.files = {}
        for path, data in torrent.each_file(''):
            self.files['/' + path] = data
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def setup(self):
                server.connections += 1
                super().setup()

            def do_GET(self):
                server.respond(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # whoever has had enough hangs up

        self.http = Server((host, 0), Handler)
        self.host, self.port = host, self.http.server_address[1]
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def url(self, path='/'):
        return f'http://{self.host}:{self.port}{path}'

    def respond(self, h):
        path = urllib.parse.unquote(h.path)
        wanted = h.headers.get('Range')
        self.asked.append((path, wanted))
        status, headers, body = (self.rule and self.rule(path, wanted)) or self.serve(path, wanted)
        headers = {'Content-Length': str(len(body)), **headers}
        try:
            h.send_response(status)
            for name, value in headers.items():
                if value is not None:
                    h.send_header(name, value)
            h.end_headers()
            for at in range(0, len(body), CHUNK):
                h.wfile.write(body[at:at + CHUNK])
        except OSError:
            h.close_connection = True
        if 'Content-Length' in headers and headers['Content-Length'] != str(len(body)):
            h.close_connection = True

    def serve(self, path, wanted):
        data = self.files.get(path)
        if data is None:
            return 404, {}, b'no such file'
        if wanted is None or not self.ranges:
            return 200, {}, data
        first, last = (int(n) for n in wanted.removeprefix('bytes=').split('-'))
        part = data[first:last + 1]
        return 206, {'Content-Range': f'bytes {first}-{first + len(part) - 1}/{len(data)}'}, part

    def paths(self):
        return {path for path, _ in self.asked}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()
